// A headless Chromium that can reach only this machine. Environment variables:
//
//   AUTH_TEST_NODE_MODULES    where the packages are (required)
//   AUTH_TEST_CHROMIUM        the Chromium program (required)
//   AUTH_TEST_CERT            PEM file of the only https certificate to trust
import crypto from 'node:crypto';
import fs from 'node:fs';
import { load, required } from './load.mjs';

const { default: { chromium } } = await load('playwright-core');
export const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

function flags() {
  const all = [
    '--no-sandbox', // root has no sandbox
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    `--host-resolver-rules=${['MAP * ~NOTFOUND', ...LOOPBACK.map((host) => `EXCLUDE ${host}`)].join(' , ')}`,
  ];
  const file = process.env.AUTH_TEST_CERT;
  if (file) {
    const { publicKey } = new crypto.X509Certificate(fs.readFileSync(file));
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    all.push(`--ignore-certificate-errors-spki-list=${crypto.createHash('sha256').update(spki).digest('base64')}`);
  }
  return all;
}

export function launch() {
  return chromium.launch({ executablePath: required('AUTH_TEST_CHROMIUM'), headless: true, args: flags() });
}
