// node issue_dcc.mjs CREDENTIAL.json
//
// @digitalcredentials/vc, of the Digital Credentials Consortium, signs a credential with eddsa-rdfc-2022 under a did:key
// of a fixed seed, which becomes its issuer. It comes with @digitalcredentials/verifier-core. Prints {credential}.
import {answer, shippedContexts, shutTheNetwork} from './documents.mjs';
import {DataIntegrityProof} from '@digitalcredentials/data-integrity';
import * as Ed25519Multikey from '@digitalcredentials/ed25519-multikey';
import {cryptosuite} from '@digitalcredentials/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalcredentials/vc';
import {readFileSync} from 'node:fs';

shutTheNetwork();
const contexts = shippedContexts();
const documentLoader = async url => {
  if(!contexts.has(url)) {
    throw new Error(`${url} is not among the contexts at hand`);
  }
  return {contextUrl: null, documentUrl: url, document: contexts.get(url)};
};

const key = await Ed25519Multikey.generate({seed: new Uint8Array(32).fill(9)});
const did = `did:key:${key.publicKeyMultibase}`;
key.id = `${did}#${key.publicKeyMultibase}`;
key.controller = did;
const credential = JSON.parse(readFileSync(process.argv[2], 'utf8'));
credential.issuer = {...credential.issuer, id: did};
const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite, date: '2025-01-01T09:00:00Z'});
answer({credential: await vc.issue({credential, suite, documentLoader})});
