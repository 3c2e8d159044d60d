// node verify_dcc.mjs CREDENTIAL.json DOCUMENTS_DIR
//
// @digitalcredentials/verifier-core, the verifier of the Digital Credentials Consortium, judges a credential. It brings
// contexts of its own and fetches the rest with `fetch`, so `fetch` is what is injected. It prints one JSON line:
//   verified  it found no error, and every step of its log but one is valid;
//   accepted  the same: it refuses a credential whose bit is set by itself;
//   status    one {purpose, valid} for each status entry in its log;
//   schema    what its check against the official JSON Schema says, or null where the schema is not among the documents;
//   errors    in words; asked: the addresses it asked for that are not among the documents.
// The step left out is `registered_issuer`: being in a registry of issuers is trust, and no registry is given here.
import {answer, openDocuments, shippedContexts, shutTheNetwork} from './documents.mjs';
import {readFileSync} from 'node:fs';

const [file, directory] = process.argv.slice(2);
const find = openDocuments(directory);
const contexts = shippedContexts();
const asked = [];
globalThis.fetch = async request => {
  const url = typeof request === 'string' ? request : request.url ?? String(request);
  const found = contexts.has(url) ?
    {body: JSON.stringify(contexts.get(url)), type: 'application/ld+json'} : find(url);
  if(found === null) {
    asked.push(url);
    return new Response('not among the documents at hand', {status: 404});
  }
  return new Response(found.body, {status: 200, headers: {'content-type': found.type}});
};
shutTheNetwork();

const {verifyCredential} = await import('@digitalcredentials/verifier-core');
const credential = JSON.parse(readFileSync(file, 'utf8'));
// Its README names this argument `knownDidRegistries`, its code reads `knownDIDRegistries`.
const result = await verifyCredential({credential, knownDIDRegistries: []});

const errors = [
  ...(result.errors ?? []),
  ...(result.log ?? []).filter(({error}) => error).map(({error}) => error)
].map(({name, message, stackTrace}) => `${name}: ${message}${stackTrace ? ` (${stackTrace})` : ''}`);
const steps = (result.log ?? []).filter(({id}) => id !== 'registered_issuer');
const schema = result.additionalInformation?.find(({id}) => id === 'schema_check')?.results;
const verified = errors.length === 0 && steps.some(({id}) => id === 'valid_signature') && steps.every(({valid}) => valid);
answer({
  verified,
  accepted: verified,
  status: steps.filter(({id, error}) => id.endsWith('_status') && !error)
    .map(({id, valid}) => ({purpose: id.slice(0, -'_status'.length), valid})),
  schema: Array.isArray(schema) ?
    schema.map(({schema, result}) => ({
      schema, valid: result.valid, errors: (result.errors ?? []).map(e => `${e.instancePath} ${e.message}`)
    })) : null,
  errors,
  asked,
});
