-- tasker.lock_task: locks one task and all its queue rows, in the order of all others.
--
-- Queue rows come first, by key, then the task. Between the two, a worker may have
-- queued children; then the locks are given back and taken again, because waiting
-- for a queue row while holding the task is how deadlocks are made.
--
--   p_task_id  the task
--
-- Returns    the task
-- Locks      the task's queue rows, then the task
-- Raises     TK030 when there is no such task
-- Called by  every operator's function

create or replace function tasker.lock_task (p_task_id uuid)
returns tasker.tasks
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_task   tasker.tasks;
  v_locked smallint[];
begin
  loop
    begin
      select coalesce(array_agg(queued.step_no), '{}') into v_locked
      from (
        select queue_row.step_no
        from tasker.step_queue as queue_row
        where queue_row.task_id = p_task_id
        order by queue_row.step_no
        for update
      ) as queued;

      select task.* into v_task
      from tasker.tasks as task
      where task.task_id = p_task_id
      for update;
      if not found then
        raise exception 'task % does not exist', p_task_id using errcode = 'TK030';
      end if;

      if exists (
        select from tasker.step_queue as queued
        where queued.task_id = p_task_id
          and queued.step_no <> all (v_locked)
      ) then
        raise exception 'again' using errcode = 'TK999';
      end if;
      return v_task;
    -- Not TK000: a code that ends in 000 stands for its whole class, a missing task included.
    exception when sqlstate 'TK999' then
      null;
    end;
  end loop;
end;
$$;
