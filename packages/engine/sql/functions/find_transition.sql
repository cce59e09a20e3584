-- tasker.find_transition: where the history passes a moment.
--
-- Keys are given in the order in which rows are written, and `at` is when their transaction began:
-- a little out of order, so this finds one of the places where a row that is older than the moment
-- is followed by one that is not. Halving the keys, it reads some thirty rows, however long the history.
--
--   p_at  the moment
--
-- Returns    a key: of the last row before it `at` is less than p_at, of the first one from it on it is not
-- Called by  sql/functions/export_range.sql

create or replace function tasker.find_transition (p_at timestamptz)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
  v_low    bigint := 0;
  v_high   bigint := coalesce((select max(transition.transition_id) from tasker.transitions as transition), 0) + 1;
  v_middle bigint;
  v_found  record;
begin
  while v_high - v_low > 1 loop
    v_middle := (v_low + v_high) / 2;
    select transition.transition_id, transition.at
    into v_found
    from tasker.transitions as transition
    where transition.transition_id >= v_middle
      and transition.transition_id < v_high
    order by transition.transition_id
    limit 1;

    if v_found.at < p_at then
      v_low := v_found.transition_id;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_high;
end;
$$;
