// The unmodified Node library: every kind of call, and a burst that it batches by itself.
import { createRequire } from "node:module";
const { Analytics } = createRequire(import.meta.url)("../node_modules/@segment/analytics-node");

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, path: "/v1/batch", flushAt: 20, flushInterval: 200, maxRetries: 5 });
const failed = [];
analytics.on("error", (error) => failed.push(error));

analytics.page({ anonymousId: "node-a", name: "Tents" });
analytics.track({ anonymousId: "node-a", event: "Product Viewed", properties: { sku: "tent-2", price: 249.9 } });
analytics.identify({ userId: "node-u", anonymousId: "node-a", traits: { email: "Node-U@Example.COM", first_name: "Nora" } });
analytics.screen({ userId: "node-u", name: "Basket" });
analytics.group({ userId: "node-u", groupId: "club", traits: { name: "Club" } });
analytics.alias({ userId: "node-u", previousId: "node-old" });
for (let i = 0; i < 100; i++) analytics.track({ userId: "node-u", event: "Counted", properties: { i } });
await analytics.closeAndFlush({ timeout: 10_000 });
if (failed.length) throw new Error(`the library reports ${failed.length} errors: ${failed[0]?.reason ?? failed[0]}`);
