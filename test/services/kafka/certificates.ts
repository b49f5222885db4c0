/** A certificate authority of the test's own, and a certificate by it for the loopback address. */

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificates {
  /** PEM, for clients. */
  readonly ca: string
  /** PEM: the server's key and certificate. */
  readonly server: string
}

/** Makes the files in `folder`; answers their paths. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => join(folder, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const life = ['-days', '30']
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  openssl(
    'req',
    '-x509',
    ...key,
    ...life,
    '-subj',
    '/CN=lpa test CA',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  )
  openssl(
    'req',
    '-new',
    ...key,
    '-subj',
    '/CN=localhost',
    '-keyout',
    at('server.key'),
    '-out',
    at('server.csr'),
  )
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')]
  openssl('x509', '-req', '-in', at('server.csr'), ...signed, ...life, '-out', at('server.crt'))
  const parts = ['server.key', 'server.crt'].map((name) => readFileSync(at(name), 'utf8'))
  writeFileSync(at('server.pem'), parts.join(''), { mode: 0o600 })
  return { ca: at('ca.pem'), server: at('server.pem') }
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
