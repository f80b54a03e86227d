// MSAL Node Extensions, unmodified, with its cache in the keyring (keytar, which is built from source).
//
//   node secret_items.mjs FOLDER save TEXT | load
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { required } from './load.mjs';

const { LibSecretPersistence } = await import(pathToFileURL(path.resolve(
  required('AUTH_TEST_NODE_MODULES'), '@azure/msal-node-extensions/dist/persistence/LibSecretPersistence.mjs')));
const [folder, command, text] = process.argv.slice(2);
const persistence = await LibSecretPersistence.create(path.join(folder, 'msal.json'), 'contoso', 'one');
if (command === 'save') {
  await persistence.save(text);
  console.log('saved');
} else {
  console.log(await persistence.load());
}
