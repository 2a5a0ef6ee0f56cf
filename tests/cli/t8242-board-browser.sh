#!/usr/bin/env bash
# dsflow's flow as its README has it, up to its dashboard in a real browser (issue 8). Needs chromium, node, playwright-core
# (LEAT_TEST_PLAYWRIGHT names its folder) and, for the dashboard with Plotly Dash, a python3 that has it
# (LEAT_TEST_PATH: folders before PATH, of a virtual environment that is not below /tmp).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

[ -d "${LEAT_TEST_PLAYWRIGHT:-}" ] || skip_all "LEAT_TEST_PLAYWRIGHT names no folder of playwright-core"
needs node chromium
export PATH=${LEAT_TEST_PATH:+$LEAT_TEST_PATH:}$PATH

mkdir site && python3 - <<'END'
import datetime, json
at = [datetime.datetime(2017, 11, 9) + datetime.timedelta(hours=i) for i in range(72)]
json.dump([{"recordid": f"r{i}", "fields": {"forecast": t.isoformat(), "total_water_precipitation": i * 7 % 13 / 3}} for i, t in enumerate(at)], open("site/data", "w"))
END
http_server site || exit 1
workspace w > /dev/null 2>&1 || exit 1
cd ..
cat > browser.mjs <<'END'
import { createRequire } from 'module';
const { chromium } = createRequire(import.meta.url)(process.env.LEAT_TEST_PLAYWRIGHT);
const [url, what, shot] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const wrong = [];
async function open(options) {
  const page = await browser.newPage(options);
  page.on('pageerror', e => wrong.push(String(e)));
  page.on('console', m => m.type() == 'error' && wrong.push(m.text()));
  await page.goto(url, { timeout: 60000 });
  return page;
}
async function dash() {
  const page = await open({ viewport: { width: 1200, height: 1000 } });
  const points = n => page.waitForFunction(n => document.querySelectorAll('#figure .scatterlayer .point').length == n, n, { timeout: 60000 });
  await points(72);
  await page.waitForSelector('#table td');
  console.log('72 points and the rows');
  await page.click('input[type=checkbox]');
  await page.waitForFunction(() => !document.querySelector('#table td'));
  console.log('the rows are away');
  await page.click('input[type=checkbox]');
  await page.waitForSelector('#table td');
  const first = page.locator('.dash-datepicker-input, .DateInput_input').nth(0);
  await first.click();
  await first.fill('2017-11-11');
  await first.press('Enter');
  await points(24);
  await page.waitForFunction(() => document.querySelector('#table').innerText.includes('2017-11-11') && !document.querySelector('#table').innerText.includes('2017-11-10 0'));
  console.log('24 points since 2017-11-11');
}
async function board() {
  const page = await open({ viewport: { width: 1200, height: 1000 } });
  await page.waitForSelector('svg');
  console.log('a picture and', await page.locator('tr').count(), 'rows');
  await page.uncheck('input[type=checkbox]');
  await page.click('button');
  await page.waitForFunction(() => !document.querySelector('table'));
  console.log('the rows are away');
  await page.check('input[type=checkbox]');
  await page.fill('input[name=from]', '2017-11-11');
  await page.click('button');
  await page.waitForFunction(() => document.querySelectorAll('tr').length == 25);
  console.log('24 rows since 2017-11-11');
}
await (what == 'dash' ? dash() : board());
for (const [name, options] of [['dark', { viewport: { width: 1200, height: 1000 }, colorScheme: 'dark' }], ['narrow', { viewport: { width: 390, height: 900 } }]]) {
  const page = await open(options);
  await page.waitForSelector('svg');
  console.log(name, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth) ? 'fits' : 'is too wide');
  await page.waitForTimeout(1000);
  await page.screenshot({ path: `${shot}-${name}.png`, fullPage: true });
}
console.log(wrong.length ? 'wrong: ' + wrong : 'no errors');
await browser.close();
END
look() { # URL dash|board: what was seen goes to the file out
	CHROMIUM=$(command -v chromium) timeout 300 node ../browser.mjs "$1" "$2" "$TRASH/shot-$2" > out && cat out
}

test_expect 'generate-job and run, as the README types them, make the tables' '
	cd w && leat generate-job > out && has out download_file plotly_dash_app && leat generate-job download_file meteoparis --set "source_url=$HTTP_URL/data?format=json&timezone=Europe/Berlin" && leat generate-job create_table_from_json meteoparis &&
	leat generate-job create_table_from_sql meteo_agg --set "query=select cast(fields.forecast as timestamp) as forecast_hour, sum(fields.total_water_precipitation) as total_precipitation from tables.meteoparis group by 1 order by 1" &&
	leat run download-meteoparis 2017-11-09 && leat run create-table-meteoparis 2017-11-09 && leat run create-table-meteo_agg 2017-11-09 && leat sql "select count(*) n from tables.meteo_agg" > out && has out 72
'
if python3 -c 'import dash' 2> /dev/null; then
	test_expect 'the dashboard with Plotly Dash: its range of dates and its table toggle work, in the light, in the dark, on a narrow screen' '
		cd w && P=$(port) && leat generate-job plotly_dash_app previsions_pluie_paris --set source_table_name=tables/meteo_agg --set x_axis=forecast_hour --set y_axis=total_precipitation --set port=$P && up dashboard-previsions_pluie_paris && look "http://127.0.0.1:$P/" dash &&
		has out "72 points and the rows" "the rows are away" "24 points since 2017-11-11" "dark fits" "narrow fits" "no errors" && leat stop-all && none_left dashboard-previsions_pluie_paris
	'
else
	test_skip 'the dashboard with Plotly Dash: its range of dates and its table toggle work, in the light, in the dark, on a narrow screen' 'dash is not installed for python3'
fi
test_expect 'the board that needs nothing but Python: the same' '
	cd w && P=$(port) && leat generate-job board meteo --set source_table_name=tables/meteo_agg --set x_axis=forecast_hour --set y_axis=total_precipitation --set port=$P && up board-meteo && look "http://127.0.0.1:$P/" board &&
	has out "a picture and 73 rows" "the rows are away" "24 rows since 2017-11-11" "dark fits" "narrow fits" "no errors" && leat stop-all && none_left board-meteo
'
test_done
