'use strict';
// Apart from inferd.cjs, since very old Node.js cannot parse `import()`.
void import('../dist/main.js');
