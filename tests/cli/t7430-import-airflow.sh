#!/usr/bin/env bash
# DAG files of Airflow become jobs, read without running Python.
. "$(dirname "$0")/../lib.sh"

test_expect 'a dsflow project with its DAG in the usual shape' '
	mkdir -p p/jobs/download-meteo p/jobs/table-meteo p/jobs/table-agg p/airflow/dags
	cat > p/airflow/dags/meteo.py <<-"END"
		from airflow import DAG
		from airflow.operators.bash_operator import BashOperator
		import datetime as dt
		from datetime import datetime, timedelta


		default_args = {
		    "owner": "airflow",
		    "depends_on_past": False,
		    "start_date": dt.datetime(2017, 11, 29),
		    "email": ["a@example.org"],
		    "email_on_failure": False,
		    "retries": 1,
		    "retry_delay": timedelta(minutes=5),
		    # "end_date": datetime(2016, 1, 1),
		}

		dag = DAG("meteo", default_args=default_args)

		templated_command = "python $DSFLOW_ROOT/dsflow-run.py {{ params.job_name }} {{ ds }}"

		def dsflow_job_operator(job_name):
		    return BashOperator(
		        task_id=job_name,
		        bash_command=templated_command,
		        params={"job_name": job_name},
		        dag=dag)


		t1 = dsflow_job_operator("download-meteo")
		t2 = dsflow_job_operator("table-meteo")
		t3 = dsflow_job_operator("table-agg")

		t1 >> t2 >> t3
	END
	cd p/jobs
	head="version: \"0.1\"\njob_parameters: [ds]\n"
	printf "$head""class: CommandLineTool\nscript: download-meteo.sh\ntask_specs: {source_path: \"file:///x\", sink_path: \"/data/raw/meteo/ds={{ ds }}\"}\n" > download-meteo/job_specs.yaml
	printf "#!/bin/sh\necho one >> \$2/m.csv\n" > download-meteo/download-meteo.sh
	printf "$head""class: CommandLineTool\nscript: t.sh\ntask_specs: {source_path: \"/data/raw/meteo/ds={{ ds }}\", sink_path: \"/data/tables/meteo/ds={{ ds }}\"}\n" > table-meteo/job_specs.yaml
	printf "#!/bin/sh\ncp \$1/m.csv \$2/t.csv\n" > table-meteo/t.sh
	printf "$head""class: CommandLineTool\nscript: a.sh\ntask_specs: {source_path: none, sink_path: \"/data/tables/agg/ds={{ ds }}\"}\n" > table-agg/job_specs.yaml
	printf "#!/bin/sh\necho agg > \$2/a.csv\n" > table-agg/a.sh
'
test_expect 'the DAG is the order of the jobs, by data where they say it, not calls of a scheduler; one retry after 5 minutes, paused at first, catch-up' '
	workspace w && leat import dsflow ../p > out 2> err && has out "download-meteo  created" "table-agg       created  table-meteo" && has err "the task table-agg is the job table-agg itself" &&
	eq "$(ls jobs | tr "\n" " ")" "download-meteo table-agg table-meteo " && cat jobs/*/job.yaml > all && lacks all dsflow-run &&
	has jobs/download-meteo/job.yaml "start: 2017-11-29" "cron: \"@daily\"" "catchup: all" "paused: true" "retries: 1" "retry_delay: 5m" && has jobs/table-agg/job.yaml "after: [table-meteo]" &&
	lacks jobs/table-meteo/job.yaml after: && lacks jobs/table-agg/job.yaml schedule paused && has jobs/table-agg/job.yaml "start: 2017-11-29" &&
	leat graph --json > out && has out table-agg
'
test_expect 'it runs: days in order of the DAG' '
	cd w && leat run table-agg 2017-11-29..2017-11-30 -u && leat cat tables/agg:/ds=2017-11-30/a.csv > out && has out agg && leat cat tables/meteo:/ds=2017-11-29/t.csv > out && has out one &&
	leat schedule sim download-meteo --from 2017-11-28 --to 2017-12-02 --json > out && eq "$(json out "[r[\"ds\"] for r in d if r[\"fires\"]]")" "[\"2017-11-29\", \"2017-11-30\"]"
'
test_expect 'the DAG file alone finds the jobs of the project that it lies in; or those of the workspace, to which keys are added' '
	workspace alone && leat import airflow ../p/airflow/dags/meteo.py > out 2> err && has out "download-meteo  created" "table-agg       created  table-meteo" && has err "all of it was understood" && lacks jobs/table-meteo/job.yaml after: &&
	cd .. && workspace there && mkdir -p jobs/download-meteo jobs/table-meteo jobs/table-agg && for j in download-meteo table-meteo table-agg; do printf "kind: script\n# mine\npartition: daily\n" > jobs/$j/job.yaml && echo true > jobs/$j/job.sh || return 1; done
	leat import airflow ../p/airflow/dags/meteo.py > out && has out "table-meteo     updated  download-meteo" && has jobs/table-meteo/job.yaml "# mine" "after: [download-meteo]" "retries: 1" && has jobs/download-meteo/job.yaml "# mine" "catchup: all" &&
	leat import airflow ../p/airflow/dags/meteo.py > out && lacks out updated && leat plan table-agg --ds 2024-01-02 > out 2>&1 &&
	sed -i "s/retries: 1/retries: 7/" jobs/table-agg/job.yaml && exits 2 leat import airflow ../p/airflow/dags/meteo.py 2> err && has err "jobs/table-agg/job.yaml:" "has another retries" &&
	leat import airflow ../p/airflow/dags/meteo.py --force > out && has jobs/table-agg/job.yaml "retries: 1" "# mine"
'
test_expect 'a scheduler that is asked for a job that is nowhere: the job is made, in its place, and says that it is to be written' '
	cp p/airflow/dags/meteo.py lonely.py && workspace lonely && leat import airflow ../lonely.py > out 2> err && has out "table-agg       created  table-meteo" && has err "asks a scheduler for the job table-agg, which is not here" &&
	has jobs/table-agg/job.yaml "after: [table-meteo]" && cat jobs/*/* > all && lacks all dsflow-run &&
	sed -i "s/retries: 1/retries: 0/" jobs/download-meteo/job.yaml && exits 1 leat run download-meteo 2017-11-29 && leat logs download-meteo 2017-11-29 > out 2>&1 && has out "write jobs/download-meteo/job.sh"
'
test_expect 'operators of a with block, groups, loops over lists, f-strings, functions, templates, dates with a zone' '
	cat > big.py <<-"END"
		"""A DAG."""
		from __future__ import annotations
		import pendulum
		from airflow.models.dag import DAG
		from airflow.operators.bash import BashOperator
		from airflow.operators.empty import EmptyOperator
		from airflow.operators.python import PythonOperator
		from airflow.providers.postgres.operators.postgres import PostgresOperator
		from airflow.utils.task_group import TaskGroup

		TABLES = ["orders", "users"]
		GREETING = "hello"

		def helper(x):
		    return x * 2

		def load(day, factor=2, **context):
		    """Loads."""
		    print(GREETING, day, helper(factor), context["ds_nodash"])

		with DAG(
		    dag_id="big",
		    schedule="30 6 * * *",
		    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Paris"),
		    catchup=False,
		    tags=["x"],
		    default_args={"retries": 0},
		) as dag:
		    start = EmptyOperator(task_id="start")
		    with TaskGroup(group_id="extract") as extract:
		        for table in TABLES:
		            BashOperator(task_id=f"get_{table}", params={"n": 3}, env={"T": table},
		                         bash_command=f"echo {table} $T {{{{ macros.ds_add(ds, -1) }}}} {{{{ ds_nodash }}}} {{{{ params.n }}}}")
		    py = PythonOperator(task_id="load", python_callable=load, op_kwargs={"day": "{{ ds }}", "factor": 3})
		    pg = PostgresOperator(task_id="pg", sql="select 1")
		    start >> extract >> [py, pg]
		    note = BashOperator(task_id="note", bash_command="echo {{ var.value.x }}", trigger_rule="all_done")
		    note.set_upstream([py, pg])

		while True:
		    break
	END
	workspace big && leat import airflow ../big.py > out 2> err &&
	has out "big-load                created  big-extract.get_orders, big-extract.get_users" "big-note                created  big-load, big-pg" &&
	has err "big.py:35: not understood: PostgresOperator" "{{ var.value.x }}" "big.py:40: not understood: while True:" && lacks err "big.py:11" &&
	has jobs/big-extract.get_orders/job.yaml "timezone: Europe/Paris" "start: 2024-01-01" "catchup: last" "cron: \"30 6 * * *\"" && lacks jobs/big-load/job.yaml schedule: && has jobs/big-note/job.yaml "when: all_done" &&
	leat run big-load 2024-02-03 -u && leat logs big-extract.get_users 2024-02-03 > out && has out "users users 2024-02-02 20240203 3" && leat logs big-load 2024-02-03 > out && has out "hello 2024-02-03 6 20240203"
'
test_expect 'an EmptyOperator with a rule of its own is a step; rules that leat has are kept' '
	cat > rules.py <<-"END" &&
		from airflow import DAG
		from airflow.operators.bash import BashOperator
		from airflow.operators.empty import EmptyOperator
		from airflow.utils.trigger_rule import TriggerRule
		with DAG("rules", schedule="@daily", start_date=None) as dag:
		    a = BashOperator(task_id="a", bash_command="true")
		    b = BashOperator(task_id="b", bash_command="exit 3")
		    join = EmptyOperator(task_id="join", trigger_rule=TriggerRule.ALL_DONE)
		    plain = EmptyOperator(task_id="plain")
		    end = BashOperator(task_id="end", bash_command="echo over", trigger_rule="none_failed")
		    [a, b] >> join >> plain >> end
	END
	workspace rules && leat import airflow ../rules.py > out 2> err && has jobs/rules-join/job.yaml "kind: noop" "when: all_done" && [ ! -e jobs/rules-plain ] && has jobs/rules-end/job.yaml "when: none_failed" "rules-join" &&
	exits 1 leat run rules-end 2024-01-01 -u > out 2>&1 && leat logs rules-end 2024-01-01 > log && has log over
'
test_expect '@dag and @task, chain, timedelta, set_upstream, %-format' '
	cat > flow.py <<-"END"
		from airflow.decorators import dag, task
		from airflow.models.baseoperator import chain
		from airflow.operators.bash import BashOperator
		from datetime import datetime, timedelta

		@dag(schedule=timedelta(hours=1), start_date=datetime(2024, 1, 1), is_paused_upon_creation=False)
		def my_flow():
		    @task(retries=3)
		    def extract():
		        print("got it")
		        return {"a": 1}

		    @task
		    def load(x: dict):
		        print(x)

		    a = BashOperator(task_id="a", bash_command="echo %s-%d" % ("a", 1))
		    b = BashOperator(task_id="b", bash_command="echo {}".format("b"))
		    c = BashOperator(task_id="c", bash_command="echo c")
		    chain(load(extract()), [a, b], c)

		my_flow()
	END
	workspace flow && leat import airflow ../flow.py > out 2> err && has out "my_flow-load     created  my_flow-extract" "my_flow-c        created  my_flow-a, my_flow-b" && has err "what it is called with" &&
	has jobs/my_flow-extract/job.yaml "every: hourly" "cron: \"@hourly\"" "retries: 3" && lacks jobs/my_flow-extract/job.yaml paused && leat run my_flow-extract 2024-02-03T04 && leat logs my_flow-extract 2024-02-03T04 > out && has out "got it"
'
test_expect 'what is no DAG file is refused with a sentence, exit status 2' '
	workspace no && echo "x = 1" > a.py && exits 2 leat import airflow a.py 2> err && has err "there is no DAG of Airflow in a.py" && echo "from airflow import DAG; d = DAG(\"x\")" > b.py && exits 2 leat import airflow b.py 2> err && has err "b.py has a DAG without tasks" &&
	printf "steps:\n  - run: x\n" > c.yaml && exits 2 leat import airflow c.yaml 2> err && has err "no DAG of Airflow" && [ ! -e jobs/x ]
'
test_expect 'Python is never run' '
	workspace safe && printf "import os\nfrom airflow import DAG\nfrom airflow.operators.bash import BashOperator\nos.system(\"touch $TRASH/ran\")\nopen(\"$TRASH/ran\", \"w\")\nd = DAG(\"x\")\nBashOperator(task_id=\"t\", bash_command=\"true\", dag=d)\n" > x.py && leat import airflow x.py > out && has out x-t && [ ! -e $TRASH/ran ]
'
test_expect 'the daemon starts nothing of it while it is paused; resumed, it catches up day by day from its start, all three jobs' '
	export LEAT_CLOCK=$TRASH/clock && clock 2017-12-02T08:00:00Z && workspace d && leat import dsflow ../p > out && serve . &&
	sleep 0.5 && exits 1 leat cat tables/agg:/ds=2017-11-29/a.csv &&
	leat resume download-meteo && wait_for 60 leat cat tables/agg:/ds=2017-12-01/a.csv &&
	eq "$(leat ls tables/agg | grep -o "ds=[0-9-]*" | tr "\n" " ")" "ds=2017-11-29 ds=2017-11-30 ds=2017-12-01 " &&
	eq "$(leat log raw/meteo --json | wc -l)" 3 && leat serve --stop && unset LEAT_CLOCK
'
test_done
