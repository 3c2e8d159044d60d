// node bench_db.mjs WORK.json
//
// @digitalbazaar/vc as a contender of `python3 dev.py bench credentials`: it signs and verifies the credentials of
// WORK.json ({seed, date, credentials}) with eddsa-rdfc-2022, contexts and key from memory. For each line of standard
// input, `issue SECONDS` or `verify SECONDS`, it works for so long and prints {count, cpu, wall}. Before that it checks
// that it verifies what it signed and refuses it with one word changed.
import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {shippedContexts, shutTheNetwork} from './documents.mjs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

shutTheNetwork();
const {seed, date, credentials} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const key = await Ed25519Multikey.generate({seed: Buffer.from(seed, 'hex')});
const did = `did:key:${key.publicKeyMultibase}`;
key.id = `${did}#${key.publicKeyMultibase}`;
key.controller = did;
const method = await key.export({publicKey: true, includeContext: true});
const controller = {
  '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
  id: did, verificationMethod: [method], assertionMethod: [key.id]
};
const documents = new Map([...shippedContexts(), [did, controller], [key.id, method]]);
const documentLoader = async url => {
  if(!documents.has(url)) {
    throw new Error(`${url} is not at hand`);
  }
  return {contextUrl: null, documentUrl: url, document: documents.get(url), tag: 'static'};
};
const signer = key.signer();
const checkStatus = async () => ({verified: true});
const issue = credential => vc.issue({
  credential: structuredClone(credential), suite: new DataIntegrityProof({signer, cryptosuite, date}), documentLoader
});
const verify = async credential => (await vc.verifyCredential({
  credential, suite: new DataIntegrityProof({cryptosuite}), documentLoader, checkStatus
})).verified;

const signed = [];
for(const credential of credentials) {
  signed.push(await issue(credential));
}
const changed = structuredClone(signed[0]);
changed.credentialSubject.achievement.name += '!';
if(!await verify(signed[0]) || await verify(changed)) {
  throw new Error('the peer does not tell a signed credential from a changed one');
}

async function work(call, items, seconds) {
  const cpu = process.cpuUsage();
  const begin = process.hrtime.bigint();
  for(let count = 1; ; count++) {
    await call(items[count % items.length]);
    const wall = Number(process.hrtime.bigint() - begin) / 1e9;
    if(wall >= seconds) {
      const used = process.cpuUsage(cpu);
      return {count, cpu: (used.user + used.system) / 1e6, wall};
    }
  }
}
const say = value => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ready: true, signed: signed[0]});
for await (const line of createInterface({input: process.stdin})) {
  const [what, seconds] = line.trim().split(' ');
  const [call, items] = what === 'issue' ? [issue, credentials] : [verify, signed];
  say(await work(call, items, Number(seconds)));
}
