#!/usr/bin/env node
import { main } from './tidelock.ts';

process.exitCode = await main(process.argv);
