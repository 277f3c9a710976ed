// Sends the rows of its input with the page's snippet, and prints those that it returns.
import { readFileSync } from "node:fs";
import { send } from "./send.mjs";

const rows = JSON.parse(readFileSync(0)).map(({ workspace_id, event }) => ({ workspaceId: workspace_id, event }));
const refused = await send(process.argv[2], rows);
console.log(JSON.stringify(refused.map(({ workspaceId, event }) => ({ workspace_id: workspaceId, event }))));
