import { defineConfig } from 'electron-vite'

/** Only the main side for now; preload and renderer join with the window. */
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      // Electron 45's own target would hold syntax that Node 20, which runs the CLI, cannot parse.
      target: 'node20.19',
      externalizeDeps: { include: ['@tensorflow/tfjs-node-gpu'] },
      rolldownOptions: {
        input: {
          worker: 'src-main/engine/worker.ts',
          cli: 'src-main/shells/cli/main.ts',
        },
      },
    },
  },
})
