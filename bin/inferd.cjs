#!/usr/bin/env node
// In the syntax of very old Node.js, which has to read this file to say that it is too old.
'use strict';
var needed = parseInt(/\d+/.exec(require('../package.json').engines.node)[0], 10);
var present = parseInt(process.versions.node, 10);
if (present < needed) {
  process.stderr.write(['inferd needs Node.js', needed, 'or newer, this is', process.versions.node].join(' '));
  process.stderr.write('\n');
  process.exit(1);
}
require('./start.cjs');
