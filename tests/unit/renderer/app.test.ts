// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import App from '#renderer/App.vue'

test('before it is connected the window says so', () => {
  expect(mount(App, { global: { plugins: [createPinia()] } }).text()).toContain('Connecting')
})
