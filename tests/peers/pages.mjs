// Looks at our pages with a real, headless Chromium: light and dark, on a phone and on a desktop.
//
// usage: node pages.mjs NAME=URL…
//
// Prints one line of JSON: a list of {"name", "scheme", "width", "title", "heading", "landmarks", "lang", "scripts",
// "images", "overflow", "text", "graphics", "complaints"}; `text` and `graphics` are the lowest contrast ratios (WCAG
// 2.2), `overflow` the pixels that overflow to the right, `complaints` what Chromium reports about the page.
// Environment variables:
//
//   AUTH_TEST_NODE_MODULES    where the packages are (required)
//   AUTH_TEST_CHROMIUM        the Chromium program (required)
//   AUTH_TEST_PAGES           a folder for screenshots (PNG): NAME-SCHEME-WIDTH.png
import path from 'node:path';
import { load, required } from './load.mjs';

const { default: { chromium } } = await load('playwright-core');
const SIZES = [{ width: 390, height: 640 }, { width: 1280, height: 640 }];

// Runs in the page.
function look() {
  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return { parts: [red, green, blue], alpha };
  };
  const luminance = (parts) => parts
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { parts, alpha } = parse(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return parts;
    }
    return [255, 255, 255];
  };
  const contrast = (element, property) => {
    const pair = [parse(getComputedStyle(element)[property]).parts, ground(element)].map(luminance);
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const all = [...document.body.querySelectorAll('*')];
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const heading = document.querySelector('h1');
  const box = heading.getBoundingClientRect();
  const visible = box.width > 0 && box.top >= 0 && box.bottom <= innerHeight;
  const lowest = (elements, property) => Math.min(21, ...elements.map((element) => contrast(element, property)));
  return {
    title: document.title,
    heading: visible ? heading.innerText : null,
    landmarks: ['header', 'main', 'footer'].filter((name) => document.querySelectorAll(name).length === 1),
    lang: document.documentElement.lang,
    scripts: document.scripts.length,
    images: [...document.images].filter((image) => image.complete && image.naturalWidth > 0).length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    text: lowest(all.filter(own), 'color'),
    graphics: lowest([...document.querySelectorAll('svg')], 'stroke'),
  };
}

const browser = await chromium.launch({
  executablePath: required('AUTH_TEST_CHROMIUM'),
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});
const seen = [];
try {
  for (const argument of process.argv.slice(2)) {
    const [name, url] = [argument.slice(0, argument.indexOf('=')), argument.slice(argument.indexOf('=') + 1)];
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    const complaints = [];
    // Chromium also reports an error status of the page itself, which is no complaint.
    page.on('console', (message) => {
      if (!message.text().startsWith('Failed to load resource: the server responded with')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url, { waitUntil: 'load' });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      for (const size of SIZES) {
        await page.setViewportSize(size);
        seen.push({ name, scheme: colorScheme, width: size.width, ...(await page.evaluate(look)), complaints });
        const folder = process.env.AUTH_TEST_PAGES;
        if (folder) await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${size.width}.png`) });
      }
    }
    await page.close();
  }
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
