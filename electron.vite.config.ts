import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'
import { packages, requiredPackages } from './scripts/build/required-packages.js'

export default defineConfig({
  main: {
    plugins: [requiredPackages()],
    build: {
      outDir: 'out/main',
      // Electron 45's own target would hold syntax that Node 20, which runs the CLI and the web shell, cannot parse.
      target: 'node20.19',
      externalizeDeps: { include: ['@tensorflow/tfjs-node-gpu', 'onnxruntime-node'], exclude: packages },
      rolldownOptions: {
        input: {
          index: 'src-main/shells/electron/main.ts',
          web: 'src-main/shells/web/main.ts',
          worker: 'src-main/engine/worker.ts',
          cli: 'src-main/shells/cli/main.ts',
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload cannot be an ES module and may require nothing but electron.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: 'src-main/shells/electron/preload.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src-renderer',
    plugins: [vue()],
    build: {
      outDir: 'out/renderer',
      minify: true,
      // Fonts and icons stay files of their own: the content security policy allows no data: fonts.
      assetsInlineLimit: 0,
      rolldownOptions: { input: { index: 'src-renderer/index.html' } },
    },
  },
})
