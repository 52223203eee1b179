// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import { expect, test } from 'vitest'
import App from '#renderer/App.vue'

test('the window opens', () => {
  expect(mount(App).text()).toContain('Maskscope')
})
