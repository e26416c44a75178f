import { join } from 'node:path';
import { defineConfig } from 'vite';

/** The web page: `npm run build:web` makes dist/web of src/web. */
export default defineConfig({
  root: join(import.meta.dirname, 'src/web'),
  // Relative, so that the page also works below a path of a reverse proxy.
  base: './',
  publicDir: false,
  build: {
    outDir: join(import.meta.dirname, 'dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no data: but for images; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    // What the page is made of goes on as it is licensed: its packages are not there where it is installed.
    license: { fileName: 'licenses.md' },
  },
});
