// Signs a user in with a real, headless Chromium: opens the one URL it is given, walks the login and consent pages, and
// waits until the page has left the provider. Made for use in `BROWSER`: BROWSER="node /path/to/browser.mjs %s".
//
// Prints one line of JSON, {"url", "text", "pages", "outside"}: where it ended, the text of the last page, the texts of
// the pages before it, and the URLs outside this machine that the pages requested (none were reached). Environment
// variables:
//
//   AUTH_TEST_NODE_MODULES    where the packages are (required)
//   AUTH_TEST_CHROMIUM        the Chromium program (required)
//   AUTH_TEST_LOGIN           the user, default `ada`; any name and password are accepted
//   AUTH_TEST_USER_CODE       the code of another device, if the URL asks for one; it ends at the provider's last page
//   AUTH_TEST_PROVIDER        the origin of the provider, if the URL is that of a web application that leads there
//   AUTH_TEST_THEN            texts of links and buttons to press afterwards, in order, separated by semicolons;
//                             `reload` loads the page again
//   AUTH_TEST_CERT            PEM file of the only https certificate to trust
//   AUTH_TEST_SCREENSHOT      file for a screenshot (PNG) of the last page
//   AUTH_TEST_BROWSER_OUTPUT  file that gets the line of JSON as well, if the output of this program is not read
import fs from 'node:fs';
import { LOOPBACK, launch } from './chromium.mjs';

const env = process.env;
const BUTTON = 'form button[type=submit], form button:not([type]), form input[type=submit], button[form]';
const PAGES = 8; // more pages than any sign-in has

const start = process.argv[2];
if (!start || process.argv.length > 3) {
  console.error('usage: node browser.mjs URL');
  process.exit(2);
}

// Fills in the page that is open, if it asks for a name, and presses its first button.
async function answer(page) {
  const code = page.locator('input[name=user_code]:not([type=hidden])');
  if (await code.count()) await code.fill(env.AUTH_TEST_USER_CODE);
  const login = page.locator('input[name=login]');
  if (await login.count()) {
    await login.fill(env.AUTH_TEST_LOGIN ?? 'ada');
    await page.locator('input[type=password]').fill('any');
  }
  await Promise.all([page.waitForEvent('load'), page.locator(BUTTON).first().click()]);
}

const browser = await launch();
const page = await browser.newPage();
page.setDefaultTimeout(10_000);
const outside = [];
page.on('request', (request) => {
  const url = new URL(request.url());
  if (url.protocol.startsWith('http') && !LOOPBACK.includes(url.hostname)) outside.push(request.url());
});
try {
  await page.goto(start, { waitUntil: 'load' });
  const provider = env.AUTH_TEST_PROVIDER ?? new URL(start).origin;
  const left = (url) => url.origin !== provider;
  // Entering a code never leaves the provider, whose last page asks for nothing.
  const done = async () => (
    env.AUTH_TEST_USER_CODE ? !(await page.locator(BUTTON).count()) : left(new URL(page.url()))
  );
  for (let seen = 0; seen < PAGES && !(await done()); seen += 1) {
    // A page may also continue by itself, such as the one that posts the response to the application.
    await Promise.race([page.waitForURL(left), page.locator(BUTTON).first().waitFor()]);
    if (!left(new URL(page.url()))) await answer(page);
  }
  if (!(await done())) throw new Error(`after ${PAGES} pages the provider still asks`);
  const said = async () => (await page.innerText('body')).trim();
  const pages = [];
  for (const text of env.AUTH_TEST_THEN?.split(';') ?? []) {
    pages.push(await said());
    const press = () => page.locator('a, button', { hasText: text }).first().click();
    await Promise.all([page.waitForEvent('load'), text === 'reload' ? page.reload() : press()]);
  }
  if (env.AUTH_TEST_SCREENSHOT) await page.screenshot({ path: env.AUTH_TEST_SCREENSHOT });
  const line = JSON.stringify({ url: page.url(), text: await said(), pages, outside });
  if (env.AUTH_TEST_BROWSER_OUTPUT) fs.writeFileSync(env.AUTH_TEST_BROWSER_OUTPUT, `${line}\n`, { mode: 0o600 });
  console.log(line);
} catch (error) {
  const said = await page.innerText('body').catch(() => '');
  console.error(`browser.mjs: ${error.message.split('\n')[0]}\nThe page is ${page.url().split('?')[0]}:\n${said.slice(0, 500)}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
