// One headless Chromium with one profile, whose tabs obey commands concurrently. Prints one line of JSON when it is
// ready, and stops when its standard input is closed. Each line of its input is a command, {"id", "does", "url"}, each
// line of its output an answer, {"id", ...}:
//
//   "accept", "cancel"   signs in at the emulator, or presses Cancel there: {"url", "text"} of the application's page
//   "close"              opens the page and closes the tab: {}
//   "look"               opens the page: {"status", "text"}
//   "attack"             opens a page that sends requests of its own, and returns after fifty of them: {}
//   "stop"               closes the tab of an attack: {}
import readline from 'node:readline';
import { launch } from './chromium.mjs';

const PAGES = 5; // more pages than any sign-in has
const browser = await launch();
const profile = await browser.newContext();
profile.setDefaultTimeout(20_000);
const attacks = new Map();

// Walks through the pages of the emulator until the application has its response.
async function signIn(page, url, button) {
  const provider = new URL(url).origin;
  const left = (address) => address.origin !== provider;
  await page.goto(url, { waitUntil: 'load' });
  for (let seen = 0; seen < PAGES && !left(new URL(page.url())); seen += 1) {
    // A page may also continue by itself, such as the one that posts the response to the application.
    const pressed = page.locator(button).first();
    await Promise.race([page.waitForURL(left), pressed.waitFor()]);
    if (!left(new URL(page.url()))) await Promise.all([page.waitForEvent('load'), pressed.click()]);
  }
  await page.waitForURL(left, { waitUntil: 'load' });
  return { url: page.url(), text: (await page.innerText('body')).trim() };
}

const COMMANDS = {
  accept: (page, url) => signIn(page, url, 'button[name=user], button[value=accept]'),
  cancel: (page, url) => signIn(page, url, 'button[value=cancel]'),
  close: async (page, url) => void await page.goto(url, { waitUntil: 'load' }),
  look: async (page, url) => {
    const first = page.waitForEvent('response');
    first.catch(() => {}); // it is awaited below, if at all
    const response = await page.goto(url, { waitUntil: 'load' }).catch((error) => {
      // For a response without a page, Chromium shows one of its own.
      if (error.message.includes('ERR_HTTP_RESPONSE_CODE_FAILURE')) return first;
      throw error;
    });
    return { status: response.status(), text: (await page.innerText('body')).trim() };
  },
  attack: async (page, url) => {
    attacks.set(url, page);
    await page.goto(url);
    await page.waitForFunction(() => globalThis.sent > 50);
  },
  stop: (_, url) => attacks.get(url).close(),
};

async function obey({ id, does, url }) {
  const page = await profile.newPage();
  const answer = await COMMANDS[does](page, url).catch((error) => ({ error: error.message }));
  if (does !== 'attack') await page.close();
  console.log(JSON.stringify({ id, ...answer }));
}

console.log(JSON.stringify({ ready: true }));
const obeyed = [];
for await (const line of readline.createInterface({ input: process.stdin })) obeyed.push(obey(JSON.parse(line)));
await Promise.all(obeyed);
await browser.close();
