// The certified provider of the npm package `oidc-provider`, with groups, a login page, and logout by both ways.
//
// It listens first and says on which port; then it reads one line of JSON from standard input: `clients`, and the `accounts`
// by the name that they log in with. So whoever starts it knows the issuer before the clients' addresses are known.
import http from 'node:http'
import { createInterface } from 'node:readline'
import Provider from 'oidc-provider'

const server = http.createServer()
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const issuer = `http://127.0.0.1:${server.address().port}`
console.log(issuer)

const [line] = await new Promise((resolve) => createInterface({ input: process.stdin }).on('line', (text) => resolve([text])))
const { clients, accounts } = JSON.parse(line)

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  cookies: { keys: ['a key for tests'] },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource },
  },
  pkce: { required: () => true, methods: ['S256'] },
  findAccount: (_context, id) => (accounts[id] ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) } : undefined),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant,
})

// Who has logged in has agreed: a consent page is not what is tried here.
async function loadExistingGrant(context) {
  const grant = new context.oidc.provider.Grant({
    clientId: context.oidc.client.clientId,
    accountId: context.oidc.session.accountId,
  })
  grant.addOIDCScope('openid email profile groups')
  await grant.save()
  return grant
}

function logoutSource(context, form) {
  context.body = `<!doctype html><title>Log out</title>${form}<button name="logout" value="yes" form="op.logoutForm">Yes, log out</button>`
}

const page = (uid) => `<!doctype html><title>Provider</title><h1>The provider</h1>
  <form method="post" action="/interaction/${uid}"><label>Account <input name="account"></label><button>Continue</button></form>`

server.on('request', async (request, response) => {
  const uid = /^\/interaction\/([\w-]+)$/.exec(request.url)?.[1]
  if (!uid) return provider.callback()(request, response)
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response)
    return response.setHeader('content-type', 'text/html').end(page(uid))
  }
  let body = ''
  for await (const chunk of request) body += chunk
  const accountId = new URLSearchParams(body).get('account')
  const result = accounts[accountId] ? { login: { accountId } } : { error: 'access_denied' }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
})
