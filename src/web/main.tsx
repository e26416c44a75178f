import { render } from 'preact';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/components.css';
import './styles/topology.css';
import { App } from './app.tsx';
import { openSession } from './state/session.ts';
import './state/theme.ts';

const place = document.getElementById('page');
if (place !== null) render(<App />, place);
void openSession();
