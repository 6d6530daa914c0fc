// Drives the API client inside Spacelift's Backstage plugin, and prints what it got as JSON.
'use strict';

const { createSpaceliftService } = require('./package/dist/services/Spacelift/Spacelift.service.cjs.js');

// Standard output is for the result alone.
const logger = { info: console.error, error: console.error, warn: console.error, debug() {} };
const { SIM_TLS_HOST: hostUrl, SIM_KEY_ID: apiKey, SIM_KEY_SECRET: apiSecret, SIM_STACK: stack } = process.env;

async function main() {
  const service = await createSpaceliftService({ api: { hostUrl, apiKey, apiSecret }, logger });
  const result = {};
  try {
    result.stacks = await service.getStacks();
    result.run = await service.triggerRun(stack);
  } catch (error) {
    result.error = String(error.message || error);
  }
  console.log(JSON.stringify(result));
}

main();
