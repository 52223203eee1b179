import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { boot, catchErrors } from './boot.ts'
import './styles/base.css'

const app = createApp(App).use(createPinia())
catchErrors(app)
app.mount('#app')
void boot()
