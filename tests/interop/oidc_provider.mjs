// An OpenID provider that is not ours, with one client and a few people: `node oidc_provider.mjs PORT REDIRECT_URI`.
// People sign in by typing their name; any password will do. It says "ready" once it listens.
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);

const PEOPLE = {
  zora: { name: "Zora Neal", email: "zora@harbour.example", email_verified: true },
  ned: { name: "Ned Low", email: "ned@harbour.example", email_verified: true },
  victor: { name: "Victor Ames", email: "victor@harbour.example", email_verified: true },
  mallory: { name: "Mallory", email: "victor@harbour.example", email_verified: false },
  oda: { name: "Oda Berg", email: "oda@harbour.example", email_verified: true },
  eve: { name: "Eve", email: "oda@harbour.example", email_verified: true },
  wanda: { name: "Wanda Fox", email: "wanda@harbour.example", email_verified: "false" },
  trudy: { name: "Trudy", email: "ines@harbour.example", email_verified: false },
  nomail: { name: "Nomi Ashe" },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "guildmark", client_secret: "not-a-secret-of-anybody", redirect_uris: [redirect] }],
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
  cookies: { keys: ["for-this-run-only"] },
  findAccount: (_, id) => PEOPLE[id] && { accountId: id, claims: async () => ({ sub: id, ...PEOPLE[id] }) },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
