// node verify_db.mjs CREDENTIAL.json DOCUMENTS_DIR
//
// @digitalbazaar/vc judges a credential with eddsa-rdfc-2022 and vc-bitstring-status-list. It prints one JSON line:
//   verified  what the library answers;
//   status    one {purpose, index, set} for each status entry that it read;
//   accepted  verified, and no bit is set: the library hands the bits over and leaves the decision to its caller;
//   errors    in words.
import {answer, didWebUrl, openDocuments, shippedContexts, shutTheNetwork, words} from './documents.mjs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {readFileSync} from 'node:fs';

const DID_CONTEXTS = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];

/** A document loader over the shipped contexts, the folder, and the DIDs that it can work out from them. */
export function loaderOver(find) {
  const contexts = shippedContexts();
  const parsed = url => {
    const found = find(url);
    return found === null ? null : JSON.parse(found.body.toString('utf8'));
  };
  const did = url => {
    const [id, fragment] = url.split('#');
    const document = id.startsWith('did:key:') ? keyDocument(id) : parsed(didWebUrl(id));
    if(document === null || fragment === undefined) {
      return document;
    }
    const method = document.verificationMethod.find(entry => entry.id === url);
    return method ? {'@context': DID_CONTEXTS[1], ...method} : null;
  };
  return async url => {
    const document = contexts.get(url) ?? (/^did:(key|web):/.test(url) ? did(url) : parsed(url));
    if(!document) {
      throw new Error(`${url} is not among the documents at hand`);
    }
    return {contextUrl: null, documentUrl: url, document};
  };
}

function keyDocument(did) {
  const multikey = did.slice('did:key:'.length);
  const method = {id: `${did}#${multikey}`, type: 'Multikey', controller: did, publicKeyMultibase: multikey};
  return {'@context': DID_CONTEXTS, id: did, verificationMethod: [method], assertionMethod: [method.id]};
}

/** What the library says about a credential. */
export async function judge(credential, documentLoader) {
  const suite = new DataIntegrityProof({cryptosuite});
  const result = await vc.verifyCredential({credential, suite, documentLoader, checkStatus});
  const status = (result.statusResult?.results ?? []).map(({credentialStatus, status}) => ({
    purpose: credentialStatus.statusPurpose, index: Number(credentialStatus.statusListIndex), set: status
  }));
  return {
    verified: result.verified,
    accepted: result.verified && status.every(({set}) => set === false),
    status,
    errors: [...words(result.error), ...words(result.statusResult?.error)],
  };
}

const [file, directory] = process.argv.slice(2);
shutTheNetwork();
answer(await judge(JSON.parse(readFileSync(file, 'utf8')), loaderOver(openDocuments(directory))));
