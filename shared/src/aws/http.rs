//! The HTTP client of the AWS clients.
//!
//! It is the one that events are sent with. The SDK's own would bring HTTP/2, which no call here needs, and a second copy
//! of everything below it.

use std::error::Error;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::http::{self, SetUpFailed};

/// The roots of Amazon Trust Services, from its repository (www.amazontrust.com). To read and parse the hundreds of the
/// system takes longer than all the rest of a start.
const AMAZON_ROOTS: &[u8] = include_bytes!("roots.pem");

/// Whom a client trusts to name the endpoints of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// Amazon Trust Services.
    Amazon,
    /// What the system trusts, or the file that `SSL_CERT_FILE` names.
    System,
}

impl Roots {
    fn read(self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let certificates: Vec<_> = match self {
            // Every one can be read: there is a test.
            Self::Amazon => CertificateDer::pem_slice_iter(AMAZON_ROOTS).flatten().collect(),
            Self::System => system_roots(),
        };
        roots.add_parsable_certificates(certificates);
        roots
    }
}

/// Those that can't be read are not trusted, and the others are; without any, no call would arrive.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(
            error = error.to_string(),
            "a root certificate of the system can't be read"
        );
    }
    if found.certs.is_empty() {
        tracing::warn!(
            "no root certificate can be read, so no endpoint of AWS is trusted: name a file of them in SSL_CERT_FILE"
        );
    }
    found.certs
}

/// One HTTP client, and so one pool of connections, for all AWS clients that get it.
///
/// # Errors
/// TLS could not be set up.
pub fn client(roots: Roots) -> Result<SharedHttpClient, SetUpFailed> {
    // The SDK reads answers as they are; nothing in them is compressed that was not asked for.
    let client = http::builder(roots.read())?.no_gzip().build()?;
    Ok(SharedHttpClient::new(Client(client)))
}

#[derive(Debug, Clone)]
struct Client(reqwest::Client);

impl HttpClient for Client {
    /// Without the SDK's own time-outs of a connection and of an answer: a function gives a whole try less time.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("reqwest", None))
    }
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap)).map_err(failed)?;
            let response = client.execute(request).await.map_err(failed)?;
            let response = hyper::Response::from(response).map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK is told, which tries again whatever got no answer that can be read.
fn failed(error: reqwest::Error) -> ConnectorError {
    let kind = if error.is_builder() {
        ConnectorError::user
    } else if error.is_timeout() {
        ConnectorError::timeout
    } else {
        ConnectorError::io
    };
    kind(Box::<dyn Error + Send + Sync>::from(error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\
        content-length: 22\r\n\r\n{\"TableNames\":[\"one\"]}";
    const CUT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\
        content-length: 22\r\n\r\n{\"TableNames\"";

    #[test]
    fn every_root_of_amazon_can_be_read() {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(AMAZON_ROOTS).collect();

        assert_eq!(certificates.unwrap().len(), 5);
        assert_eq!(Roots::Amazon.read().len(), 5);
    }

    #[tokio::test]
    async fn a_call_whose_connection_breaks_is_made_again() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", server.local_addr().unwrap());
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for answer in [b"".as_slice(), CUT, ANSWER] {
                let (mut connection, _) = server.accept().await.unwrap();
                let mut request = vec![0; 8_192];
                let length = connection.read(&mut request).await.unwrap();
                request.truncate(length);
                requests.push(String::from_utf8(request).unwrap().to_lowercase());
                connection.write_all(answer).await.unwrap();
            }
            requests
        });
        let variables = |name: &str| match name {
            "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            _ => None,
        };
        let config = super::super::config(variables).unwrap();

        let tables = Client::new(&config).list_tables().send().await.unwrap();

        assert_eq!(tables.table_names(), ["one"]);
        for request in requests.await.unwrap() {
            assert!(request.starts_with("post / http/1.1\r\n"), "{request}");
            assert!(
                request.contains("x-amz-target: dynamodb_20120810.listtables\r\n"),
                "{request}"
            );
            assert!(!request.contains("accept-encoding"), "{request}");
        }
    }
}
