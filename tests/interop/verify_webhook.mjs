// node verify_webhook.mjs MESSAGES.json
//
// The npm package `standardwebhooks` judges messages: a list of {secret, headers, body}. It prints one JSON line:
//   verdicts  for each message {type} if it is accepted, or {error} with what it says.
import {readFileSync} from 'node:fs';
import {Webhook} from 'standardwebhooks';

const messages = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const verdicts = messages.map(({secret, headers, body}) => {
  try {
    return {type: new Webhook(secret).verify(body, headers).type};
  } catch(error) {
    return {error: error.message};
  }
});
console.log(JSON.stringify({verdicts}));
