// Loads a package from the folder that `AUTH_TEST_NODE_MODULES` names, so that nothing is installed next to the sources.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The environment variable `name`; ends the program with a message if it is missing. */
export function required(name) {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set. Run the tests with \`cargo xtask test\`, which installs the peers and sets it.`);
  process.exit(2);
}

/** Imports `name` from the installed packages. */
export function load(name) {
  const folder = required('AUTH_TEST_NODE_MODULES');
  const resolve = createRequire(path.join(path.resolve(folder), 'index.js')).resolve;
  return import(pathToFileURL(resolve(name)));
}
