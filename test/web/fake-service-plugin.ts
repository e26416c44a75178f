import type { Plugin } from 'vite';
import { FakeService } from './fake-service.ts';

/** `npm run dev:web`: the page over an invented service; the tokens are view, operate, admin. */
export function fakeServicePlugin(): Plugin {
  return {
    name: 'fake-service',
    apply: 'serve',
    configureServer(server) {
      const service = new FakeService({ moving: true });
      server.middlewares.use((request, response, next) => {
        if (!service.handle(request, response)) next();
      });
      server.httpServer?.on('close', () => service.close());
    },
  };
}
