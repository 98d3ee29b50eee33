"""The unmodified Python library: every kind of call, with gzip and without."""
import sys
import segment.analytics as analytics

host, write_key, packed = sys.argv[1:4]
failed = []
analytics.write_key, analytics.host, analytics.gzip, analytics.max_retries = write_key, host, packed == "gzip", 5
analytics.on_error = lambda error, items: failed.append(error)
who = f"python-{packed}"
analytics.track(anonymous_id=f"{who}-a", event="Product Viewed", properties={"sku": "tent-4"})
analytics.identify(f"{who}-u", {"email": f"{who}-u@example.com"}, anonymous_id=f"{who}-a")
analytics.page(f"{who}-u", name="Tents")
analytics.screen(f"{who}-u", name="Basket")
analytics.group(f"{who}-u", "club")
analytics.alias(f"{who}-old", f"{who}-u")
for i in range(60):
    analytics.track(f"{who}-u", "Counted", {"i": i})
analytics.flush()
if failed:
    sys.exit(f"the library reports {len(failed)} errors: {failed[0]}")
