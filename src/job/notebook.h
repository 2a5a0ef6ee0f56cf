/*
 * job/notebook.h: the worker of notebook jobs, `leat --role notebook`: reads a request (JSON) from its standard input,
 * runs the notebook (note/run.h), and ends with 0 or 1. The request:
 *   {file, name, dir, base, title, facts, params, names, inputs, python, engine, kernel, zygote, group, hide_input,
 *    timeout_ms, grace_ms}
 * inputs: names, whose folders are in LEAT_INPUT_...; names: what is offered beside parameters (ds, run_id).
 */
#ifndef LEAT_JOB_NOTEBOOK_H
#define LEAT_JOB_NOTEBOOK_H

#define NOTEBOOK_ROLE "notebook"

int notebook_worker_main(int argc, char **argv);

#endif
