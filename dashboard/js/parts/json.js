/**
 * JSON as text. What producers sent is shown and copied as it came: a parser would round large numbers and drop what is
 * written twice.
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;

/**
 * Returns the text of a field of an object, byte for byte; `null` if the object has no such field.
 * @param {string} text of an object
 * @param {string} name
 */
export function fieldText(text, name) {
  let depth = 0;
  let start = -1;
  /** @type {string | null} */
  let key = null;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && start >= 0 && (token === ',' || token === '}')) return text.slice(start, index).trim();
    if (depth === 1 && token === ':' && key !== null && JSON.parse(key) === name) start = index + 1;
    if (depth === 1) key = token.startsWith('"') ? token : null;
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
  }
  return null;
}

/**
 * Returns JSON with a line for each value, every token as it was.
 * @param {string} text
 */
export function indented(text) {
  const tokens = text.match(TOKEN) ?? [];
  let depth = 0;
  let out = '';
  const line = () => `\n${'  '.repeat(depth)}`;
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token === '{' || token === '[') {
      depth++;
      out += token + (next === '}' || next === ']' ? '' : line());
    } else if (token === '}' || token === ']') {
      depth--;
      const before = tokens[index - 1];
      out += (before === '{' || before === '[' ? '' : line()) + token;
    } else if (token === ',') out += token + line();
    else out += token === ':' ? ': ' : token;
  });
  return out;
}

/**
 * Returns text indented if it is JSON, and as it is otherwise.
 * @param {string} text
 */
export function readable(text) {
  try {
    JSON.parse(text);
    return indented(text);
  } catch {
    return text;
  }
}
