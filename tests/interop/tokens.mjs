// node tokens.mjs TASKS.json
//
// jose judges tokens and makes some of its own, without a network. TASKS.json holds {verify, sign}:
//   verify  a list of {token, jwk, alg}; the answer has {accepted, claims, error} for each;
//   sign    a list of {header, payload}; the answer has {token, jwk} for each, made with a key of its own.
import {answer, shutTheNetwork} from './documents.mjs';
import {exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT} from 'jose';
import {readFileSync} from 'node:fs';

async function judged({token, jwk, alg}) {
  try {
    const {payload} = await jwtVerify(token, await importJWK(jwk, alg), {algorithms: [alg]});
    return {accepted: true, claims: payload, error: ''};
  } catch(error) {
    return {accepted: false, claims: null, error: `${error.code ?? error.name}: ${error.message}`};
  }
}

async function made({header, payload}) {
  const {publicKey, privateKey} = await generateKeyPair(header.alg, {extractable: true});
  const token = await new SignJWT(payload).setProtectedHeader(header).sign(privateKey);
  return {token, jwk: await exportJWK(publicKey)};
}

shutTheNetwork();
const {verify = [], sign = []} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const verified = [], signed = [];
for(const task of verify) {
  verified.push(await judged(task));
}
for(const task of sign) {
  signed.push(await made(task));
}
answer({verify: verified, sign: signed});
