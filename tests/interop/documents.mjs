// What a verifier may see here: the contexts that guildmark ships and the documents of one folder, never the network.
import {readFileSync} from 'node:fs';
import {Socket} from 'node:net';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const CONTEXTS = join(here, '..', '..', 'src', 'guildmark', 'credential', 'contexts');

const json = path => JSON.parse(readFileSync(path, 'utf8'));

/** Address -> context, as guildmark signs with it: of two revisions at one address, the newer. */
export function shippedContexts() {
  const rows = json(join(CONTEXTS, 'index.json')).filter(row => row.revision !== 'older');
  return new Map(rows.map(row => [row.url, json(join(CONTEXTS, row.file))]));
}

/** Opens a folder whose index.json maps addresses to files; the answer gives {body, type} of an address, or null. */
export function openDocuments(directory) {
  const index = json(join(directory, 'index.json'));
  return url => Object.hasOwn(index, url) ?
    {body: readFileSync(join(directory, index[url].file)), type: index[url].type || 'application/json'} : null;
}

/** From here on every connection, by whatever library, is an error. */
export function shutTheNetwork() {
  Socket.prototype.connect = () => {
    throw new Error('no network here: a verifier is given its documents');
  };
}

/** Where the document of a did:web lies. */
export function didWebUrl(did) {
  const [host, ...path] = did.slice('did:web:'.length).split(':').map(decodeURIComponent);
  return `https://${host}/${path.length ? path.join('/') : '.well-known'}/did.json`;
}

/** Every error in words: the error itself, those it collects, and its causes. */
export function words(error) {
  if(!error) {
    return [];
  }
  const own = error.errors?.length ? [] : [`${error.name ?? 'Error'}: ${error.message ?? error}`];
  return [...own, ...[...(error.errors ?? [])].flatMap(words), ...words(error.cause)];
}

/** Prints the one line that the tests read. Whatever libraries print goes to standard error from the start. */
export function answer(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

console.log = console.info = console.warn = console.error;
