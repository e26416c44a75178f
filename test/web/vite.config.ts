import { defineConfig, mergeConfig } from 'vite';
import page from '../../vite.config.ts';
import { fakeServicePlugin } from './fake-service-plugin.ts';

/** `npm run dev:web`: the page over an invented service. */
export default mergeConfig(page, defineConfig({ plugins: [fakeServicePlugin()] }));
