// node issue_db.mjs
//
// @digitalbazaar/vc issues an Open Badge with eddsa-rdfc-2022 under a did:key, and vc-bitstring-status-list makes the
// list of its status. The key is that of a fixed seed and the dates are fixed, so the same documents come out each time.
// Prints {credential, list, revokedList}.
import {answer, shippedContexts, shutTheNetwork} from './documents.mjs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {createCredential, createList} from '@digitalbazaar/vc-bitstring-status-list';

shutTheNetwork();
const contexts = shippedContexts();
const documentLoader = async url => {
  if(!contexts.has(url)) {
    throw new Error(`${url} is not among the contexts at hand`);
  }
  return {contextUrl: null, documentUrl: url, document: contexts.get(url)};
};

const key = await Ed25519Multikey.generate({seed: new Uint8Array(32).fill(7)});
const did = `did:key:${key.publicKeyMultibase}`;
key.id = `${did}#${key.publicKeyMultibase}`;
key.controller = did;
const date = '2025-01-01T09:00:00Z';
const issue = credential => vc.issue({
  credential, suite: new DataIntegrityProof({signer: key.signer(), cryptosuite, date}), documentLoader
});

const LIST = 'https://node.example/status/3';
const INDEX = 4711;

async function signedList(revoked) {
  const list = await createList({length: 131072});
  list.setStatus(INDEX, revoked);
  const credential = await createCredential({id: LIST, list, statusPurpose: 'revocation'});
  return issue({...credential, issuer: did, validFrom: date});
}

const credential = await issue({
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json'],
  id: 'urn:uuid:b0000000-0000-4000-8000-000000000001',
  type: ['VerifiableCredential', 'OpenBadgeCredential'],
  name: 'Reads a signature',
  issuer: {id: did, type: ['Profile'], name: 'A node of our own'},
  validFrom: date,
  credentialStatus: {
    id: `${LIST}#${INDEX}`,
    type: 'BitstringStatusListEntry',
    statusPurpose: 'revocation',
    statusListIndex: String(INDEX),
    statusListCredential: LIST
  },
  credentialSubject: {
    id: 'did:example:zoe',
    type: ['AchievementSubject'],
    achievement: {
      id: 'https://node.example/achievements/1',
      type: ['Achievement'],
      achievementType: 'MicroCredential',
      name: 'Reads a signature',
      description: 'Knows what a signature covers — and what it does not.',
      criteria: {narrative: 'Finds the changed word.'},
      creditsAvailable: 1.5
    },
    creditsEarned: 1.5
  }
});
answer({credential, list: await signedList(false), revokedList: await signedList(true)});
