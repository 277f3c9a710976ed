//! Passes connections of containers on to the emulator, which listens on 127.0.0.1 alone.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::docker::Bridge;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// A relay that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Where containers of the network connect to.
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Relay {
    /// Relays from a port of `bridge` to the same port of 127.0.0.1.
    pub(crate) fn start(bridge: &Bridge, port: u16) -> Result<Self> {
        let address = SocketAddr::from((bridge.address, port));
        let listener = listen(bridge, address).with_context(|| {
            format!(
                "containers can't be given a way to this machine at {address} ({})",
                bridge.interface
            )
        })?;
        let task = tokio::spawn(serve(listener, SocketAddr::from(([127, 0, 0, 1], port))));
        Ok(Self { address, task })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Linux accepts what is sent to any of its addresses on every interface, so the address alone would let other networks
/// in; bound to the interface, the socket hears only the containers of this one.
fn listen(bridge: &Bridge, address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(target_os = "linux")]
    socket.bind_device(Some(bridge.interface.as_bytes()))?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(listener: TcpListener, emulator: SocketAddr) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        tokio::spawn(pass_on(stream, emulator));
    }
}

/// A connection that breaks is the container's to notice.
async fn pass_on(mut stream: TcpStream, emulator: SocketAddr) {
    if let Ok(mut upstream) = TcpStream::connect(emulator).await {
        let _ = stream.set_nodelay(true);
        let _ = upstream.set_nodelay(true);
        let _ = copy_bidirectional(&mut stream, &mut upstream).await;
    }
}
