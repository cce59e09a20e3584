-- tasker.gather_results: the results of many parents, unless they are too large together.
--
-- One value holds 256 MiB. A step whose parents returned more must fail alone: an error
-- here would fail every claim of every worker that could have had it.
--
--   p_task_id   the task
--   p_step_nos  the parents
--
-- Returns    their results by step_no, skipped ones left out; false when they are too large
-- Called by  sql/functions/advance.sql, for more parents than fit for certain

create or replace function tasker.gather_results (
  p_task_id   uuid,
  p_step_nos  smallint[]
)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
begin
  return (
    select jsonb_object_agg(parent.step_no, parent.result)
    from tasker.step_records as parent
    where parent.task_id = p_task_id
      and parent.step_no = any (p_step_nos)
      and parent.state <> 'skipped'
  );
exception when program_limit_exceeded then
  return 'false';
end;
$$;
