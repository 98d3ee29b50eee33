// The unmodified browser library in a real Chromium, on a page of another origin: browsing before a login.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { chromium } = require("../node_modules/playwright-core");

const [host, writeKey] = process.argv.slice(2);
const library = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../node_modules/@segment/analytics-next/dist/umd");
const page = `<!doctype html><title>Shop</title><script src="/umd/index.js"></script><p>Shop</p>`;
const site = createServer(async (request, response) => {
  const path = new URL(request.url, "http://site").pathname;
  if (path.startsWith("/umd/") && !path.includes("..")) {
    response.setHeader("content-type", "text/javascript");
    return response.end(await readFile(join(library, path.slice(5))).catch(() => ""));
  }
  response.setHeader("content-type", "text/html");
  response.end(page);
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));

const profile = await mkdtemp(join(tmpdir(), "faden-chromium-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const tab = await browser.newPage();
  const calls = [];
  tab.on("response", (answer) => answer.url().startsWith(host) && calls.push(`${answer.request().method()} ${answer.status()}`));
  await tab.goto(`http://127.0.0.1:${site.address().port}/tents?utm_source=mail`);
  await tab.evaluate(
    async ([cdnURL, writeKey]) => {
      const { AnalyticsBrowser } = window.AnalyticsNext;
      const analytics = AnalyticsBrowser.load({ writeKey, cdnURL });
      await analytics.setAnonymousId("browser-a");
      await analytics.page("Tents");
      await analytics.track("Product Viewed", { sku: "tent-3", price: 319 });
      await analytics.identify("browser-u", { email: "browser-u@example.com" });
      await analytics.track("Logged In");
      await analytics.group("club");
      await analytics.alias("browser-u", "browser-old");
    },
    [host, writeKey],
  );
  const deadline = Date.now() + 15_000;
  const taken = () => calls.filter((call) => call === "POST 200").length;
  while (taken() < 6 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  if (taken() < 6) throw new Error(`the browser's calls: ${calls.join(", ")}`);
} finally {
  await browser.close();
  site.close();
  await rm(profile, { recursive: true, force: true });
}
