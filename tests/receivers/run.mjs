// Reads a list of requests and prints, for each, whether the page's snippet takes it for genuine.
import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";

const isGenuine = ({ secret, headers, body }) => {
  try {
    return verify(secret, headers, Buffer.from(body)) !== undefined;
  } catch {
    return false;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(isGenuine)));
