-- The tables of Tickwheel on MySQL 8 and MariaDB 10.11: mysql -u root -p < sql/init.sql
-- Tickwheel 在 MySQL 8 / MariaDB 10.11 上的建库建表脚本，可重复执行。
--
-- Not needed: a server whose account may create tables makes them by itself. Then give an account the database and start:
--   CREATE USER 'tickwheel'@'%' IDENTIFIED BY '…'; GRANT ALL ON tickwheel.* TO 'tickwheel'@'%';
--   TICKWHEEL_DATABASE_URL=mysql://tickwheel:…@127.0.0.1:3306/tickwheel npm start
-- innodb_flush_log_at_trx_commit must be 1 (the default): what is acknowledged must be durable.
-- Partitions are cut into months by the server, three ahead; empty months that are over are dropped.
-- Schema level 14. Generated from server/src/store/migrations by scripts/make-init-sql.ts; a test fails when it is stale.

CREATE DATABASE IF NOT EXISTS `tickwheel` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

USE `tickwheel`;

CREATE TABLE IF NOT EXISTS `id_block` (
  `name` VARCHAR(255) NOT NULL,
  `next_id` BIGINT NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `meta` (
  `key` VARCHAR(255) NOT NULL,
  `value` TEXT NOT NULL,
  PRIMARY KEY (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `node` (
  `run_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `url` VARCHAR(255) NOT NULL,
  `roles` VARCHAR(255) NOT NULL,
  `version` VARCHAR(255) NOT NULL,
  `level` INT NOT NULL,
  `connection_ids` TEXT NOT NULL,
  `beat_at` BIGINT NOT NULL,
  `facts` TEXT,
  PRIMARY KEY (`run_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `slot` (
  `id` INT NOT NULL,
  `fence` BIGINT NOT NULL,
  `owner_run` BIGINT,
  `taken_at` BIGINT NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `task_group` (
  `id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255) NOT NULL,
  `app_name` VARCHAR(255) NOT NULL,
  `description` TEXT NOT NULL,
  `version` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  `concurrency` INT,
  `xxl_token` TEXT,
  PRIMARY KEY (`id`),
  UNIQUE KEY `task_group_name_key` (`name_key`),
  UNIQUE KEY `task_group_app_name` (`app_name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `task` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255),
  `version` INT NOT NULL,
  `enabled` INT NOT NULL,
  `series_id` BIGINT NOT NULL,
  `deleted_at` BIGINT,
  `description` TEXT NOT NULL,
  `owner` VARCHAR(255) NOT NULL,
  `tags` TEXT NOT NULL,
  `schedule_kind` VARCHAR(255) NOT NULL,
  `handler_kind` VARCHAR(255) NOT NULL,
  `schedule` TEXT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  `paused` TEXT,
  PRIMARY KEY (`id`),
  UNIQUE KEY `task_group_id_name_key` (`group_id`, `name_key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `task_version` (
  `task_id` BIGINT NOT NULL,
  `version` INT NOT NULL,
  `saved_at` BIGINT NOT NULL,
  `saved_by` BIGINT,
  `saved_by_name` VARCHAR(255) NOT NULL,
  `definition` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`task_id`, `version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `schedule_span` (
  `series_id` BIGINT NOT NULL,
  `from_at` BIGINT NOT NULL,
  `to_at` BIGINT,
  `task_version` INT NOT NULL,
  `enabled` INT NOT NULL,
  `schedule` TEXT NOT NULL,
  `anchor_at` BIGINT NOT NULL,
  `calendar_id` BIGINT,
  `calendar_version` INT,
  `calendar_zone` VARCHAR(255),
  PRIMARY KEY (`series_id`, `from_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `series` (
  `id` BIGINT NOT NULL,
  `kind` INT NOT NULL,
  `owner_id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `next_due_at` BIGINT,
  `last_due_at` BIGINT NOT NULL,
  `task_version` INT NOT NULL,
  `revision` BIGINT NOT NULL,
  `awaits_id` BIGINT,
  `held` TEXT,
  PRIMARY KEY (`id`),
  KEY `series_slot_next_due_at` (`slot`, `next_due_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `firing` (
  `due_at` BIGINT NOT NULL,
  `series_id` BIGINT NOT NULL,
  `prev_due_at` BIGINT NOT NULL,
  `task_version` INT NOT NULL,
  `instance_id` BIGINT NOT NULL,
  PRIMARY KEY (`due_at`, `series_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`due_at`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `skip` (
  `series_id` BIGINT NOT NULL,
  `from_at` BIGINT NOT NULL,
  `to_at` BIGINT NOT NULL,
  `prev_due_at` BIGINT NOT NULL,
  `count` INT,
  `reason` INT NOT NULL,
  `facts` TEXT NOT NULL,
  `instance_id` BIGINT,
  `decided_at` BIGINT NOT NULL,
  PRIMARY KEY (`series_id`, `from_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`from_at`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `firing_hour` (
  `hour_at` BIGINT NOT NULL,
  `series_id` BIGINT NOT NULL,
  `fired` INT NOT NULL,
  `first_due_at` BIGINT NOT NULL,
  `last_due_at` BIGINT NOT NULL,
  `first_id` BIGINT NOT NULL,
  `last_id` BIGINT NOT NULL,
  PRIMARY KEY (`hour_at`, `series_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`hour_at`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `open_instance` (
  `id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `task_id` BIGINT NOT NULL,
  `task_version` INT NOT NULL,
  `cause` INT NOT NULL,
  `actor` VARCHAR(255),
  `series_id` BIGINT,
  `due_at` BIGINT,
  `created_at` BIGINT NOT NULL,
  `priority` INT NOT NULL,
  `retry_of` BIGINT,
  `attempt` INT NOT NULL,
  `tries` INT NOT NULL,
  `executor_id` BIGINT,
  `boot_id` BIGINT,
  `queued_at` BIGINT,
  `sent_at` BIGINT,
  `accepted_at` BIGINT,
  `started_at` BIGINT,
  `cancel_at` BIGINT,
  `cancel_by` VARCHAR(255),
  `trace` TEXT NOT NULL,
  `phase` INT NOT NULL,
  `lane` BIGINT NOT NULL,
  `rank_at` BIGINT NOT NULL,
  `on_end` INT NOT NULL,
  `wait_code` INT,
  `wait_facts` TEXT,
  `progress` TEXT,
  `pinned_executor_id` BIGINT,
  `parent_id` BIGINT,
  `shard_index` INT,
  `shard_total` INT,
  `shard_key` VARCHAR(255),
  `shard_part` MEDIUMTEXT,
  `first_child_id` BIGINT,
  `children_made` INT,
  `children_ended` TEXT,
  `children_open` INT,
  `tried_executor_id` BIGINT,
  `workflow_run_id` BIGINT,
  `workflow_id` BIGINT,
  `workflow_version` INT,
  `step_no` INT,
  `runs_workflow` INT,
  `mapped` INT,
  `reduce` INT,
  PRIMARY KEY (`id`),
  KEY `open_instance_phase_lane_rank_at_slot` (`phase`, `lane`, `rank_at`, `slot`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `instance` (
  `id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `task_id` BIGINT NOT NULL,
  `task_version` INT NOT NULL,
  `cause` INT NOT NULL,
  `actor` VARCHAR(255),
  `series_id` BIGINT,
  `due_at` BIGINT,
  `created_at` BIGINT NOT NULL,
  `priority` INT NOT NULL,
  `retry_of` BIGINT,
  `attempt` INT NOT NULL,
  `tries` INT NOT NULL,
  `executor_id` BIGINT,
  `boot_id` BIGINT,
  `queued_at` BIGINT,
  `sent_at` BIGINT,
  `accepted_at` BIGINT,
  `started_at` BIGINT,
  `cancel_at` BIGINT,
  `cancel_by` VARCHAR(255),
  `trace` TEXT NOT NULL,
  `outcome` INT NOT NULL,
  `ended_at` BIGINT NOT NULL,
  `result` TEXT,
  `error_code` VARCHAR(255),
  `error` TEXT,
  `parent_id` BIGINT,
  `shard_index` INT,
  `shard_total` INT,
  `shard_key` VARCHAR(255),
  `shard_part` MEDIUMTEXT,
  `first_child_id` BIGINT,
  `children_made` INT,
  `children_ended` TEXT,
  `workflow_run_id` BIGINT,
  `workflow_id` BIGINT,
  `workflow_version` INT,
  `step_no` INT,
  `runs_workflow` INT,
  `mapped` INT,
  `reduce` INT,
  PRIMARY KEY (`id`),
  KEY `instance_task_id_id` (`task_id`, `id`),
  KEY `instance_group_id_outcome_id` (`group_id`, `outcome`, `id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `attempt` (
  `instance_id` BIGINT NOT NULL,
  `attempt` INT NOT NULL,
  `late` INT NOT NULL,
  `executor_id` BIGINT,
  `boot_id` BIGINT,
  `sent_at` BIGINT,
  `accepted_at` BIGINT,
  `started_at` BIGINT,
  `ended_at` BIGINT NOT NULL,
  `outcome` INT NOT NULL,
  `error_code` VARCHAR(255),
  `error` TEXT,
  PRIMARY KEY (`instance_id`, `attempt`, `late`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`instance_id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `payload` (
  `instance_id` BIGINT NOT NULL,
  `kind` INT NOT NULL,
  `body` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`instance_id`, `kind`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`instance_id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `retry_link` (
  `instance_id` BIGINT NOT NULL,
  `retry_id` BIGINT NOT NULL,
  PRIMARY KEY (`instance_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `signal` (
  `id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `kind` INT NOT NULL,
  `target_id` BIGINT NOT NULL,
  `instance_id` BIGINT NOT NULL,
  `outcome` INT NOT NULL,
  `at` BIGINT NOT NULL,
  `facts` TEXT NOT NULL,
  PRIMARY KEY (`id`),
  KEY `signal_slot_id` (`slot`, `id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `executor` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `boot_id` BIGINT NOT NULL,
  `recovered_boot` BIGINT NOT NULL,
  `registered_at` BIGINT NOT NULL,
  `state` INT NOT NULL,
  `draining` INT NOT NULL,
  `transport` VARCHAR(255) NOT NULL,
  `version` VARCHAR(255) NOT NULL,
  `host` VARCHAR(255) NOT NULL,
  `pid` INT NOT NULL,
  `capacity` INT NOT NULL,
  `labels` TEXT NOT NULL,
  `handlers` MEDIUMTEXT NOT NULL,
  `link_run` BIGINT,
  `process_key` VARCHAR(255),
  `process_boot` BIGINT,
  `address` TEXT,
  `map_boot` BIGINT,
  PRIMARY KEY (`id`),
  UNIQUE KEY `executor_group_id_name` (`group_id`, `name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `executor_beat` (
  `executor_id` BIGINT NOT NULL,
  `boot_id` BIGINT NOT NULL,
  `seen_at` BIGINT NOT NULL,
  `load` TEXT,
  PRIMARY KEY (`executor_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `counter` (
  `hour_at` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `metric` INT NOT NULL,
  `lane` INT NOT NULL,
  `n` BIGINT NOT NULL,
  PRIMARY KEY (`hour_at`, `group_id`, `metric`, `lane`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `request_key` (
  `key_hash` VARCHAR(255) NOT NULL,
  `answer` TEXT NOT NULL,
  `at` BIGINT NOT NULL,
  PRIMARY KEY (`key_hash`),
  KEY `request_key_at` (`at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `audit` (
  `id` BIGINT NOT NULL,
  `at` BIGINT NOT NULL,
  `actor_kind` VARCHAR(255) NOT NULL,
  `actor_id` BIGINT,
  `actor_name` VARCHAR(255) NOT NULL,
  `ip` VARCHAR(255) NOT NULL,
  `request_id` VARCHAR(255) NOT NULL,
  `action` VARCHAR(255) NOT NULL,
  `resource_kind` VARCHAR(255) NOT NULL,
  `resource_id` BIGINT,
  `resource_key` TEXT NOT NULL,
  `group_id` BIGINT,
  `outcome` VARCHAR(255) NOT NULL,
  `code` VARCHAR(255),
  `count` INT NOT NULL,
  `before` MEDIUMTEXT,
  `after` MEDIUMTEXT,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `user` (
  `id` BIGINT NOT NULL,
  `username` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255) NOT NULL,
  `display_name` VARCHAR(255) NOT NULL,
  `password_hash` VARCHAR(255) NOT NULL,
  `must_change` INT NOT NULL,
  `first_password` INT NOT NULL,
  `disabled` INT NOT NULL,
  `is_admin` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `password_at` BIGINT NOT NULL,
  `version` INT,
  `last_login_at` BIGINT,
  PRIMARY KEY (`id`),
  UNIQUE KEY `user_name_key` (`name_key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `session` (
  `id` VARCHAR(255) NOT NULL,
  `user_id` BIGINT NOT NULL,
  `refresh_hash` VARCHAR(255) NOT NULL,
  `previous_hash` VARCHAR(255),
  `created_at` BIGINT NOT NULL,
  `rotated_at` BIGINT NOT NULL,
  `expires_at` BIGINT NOT NULL,
  `ended_at` BIGINT,
  `limited` INT NOT NULL,
  `ip` VARCHAR(255) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `session_refresh_hash` (`refresh_hash`),
  KEY `session_previous_hash` (`previous_hash`),
  KEY `session_user_id` (`user_id`),
  KEY `session_expires_at` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `token` (
  `id` BIGINT NOT NULL,
  `kind` VARCHAR(255) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `hash` VARCHAR(255) NOT NULL,
  `group_ids` TEXT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `created_by` BIGINT,
  `expires_at` BIGINT,
  `last_used_at` BIGINT,
  `revoked_at` BIGINT,
  `rate_limit` TEXT,
  `addresses` TEXT,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `log_chunk` (
  `instance_id` BIGINT NOT NULL,
  `attempt` INT NOT NULL,
  `first_seq` BIGINT NOT NULL,
  `lines` INT NOT NULL,
  `bytes` INT NOT NULL,
  `dropped` BIGINT NOT NULL,
  `at` BIGINT NOT NULL,
  `codec` INT NOT NULL,
  `body` LONGBLOB NOT NULL,
  PRIMARY KEY (`instance_id`, `attempt`, `first_seq`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`instance_id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `log_end` (
  `instance_id` BIGINT NOT NULL,
  `attempt` INT NOT NULL,
  `lines` BIGINT NOT NULL,
  `bytes` BIGINT NOT NULL,
  `dropped` BIGINT NOT NULL,
  PRIMARY KEY (`instance_id`, `attempt`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`instance_id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `executor_schema` (
  `executor_id` BIGINT NOT NULL,
  `boot_id` BIGINT NOT NULL,
  `schemas` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`executor_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `wire` (
  `id` BIGINT NOT NULL,
  `instance_id` BIGINT NOT NULL,
  `attempt` INT NOT NULL,
  `executor_id` BIGINT NOT NULL,
  `boot_id` BIGINT NOT NULL,
  `log_at` BIGINT NOT NULL,
  `timeout_ms` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `wire_instance_id_attempt` (`instance_id`, `attempt`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `workflow_run` (
  `run_id` BIGINT NOT NULL,
  `workflow_id` BIGINT NOT NULL,
  `version` INT NOT NULL,
  `run_date` VARCHAR(255) NOT NULL,
  `depth` INT NOT NULL,
  `paused_at` BIGINT,
  `paused_by` VARCHAR(255),
  PRIMARY KEY (`run_id`),
  KEY `workflow_run_workflow_id_run_id` (`workflow_id`, `run_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`run_id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `step_run` (
  `run_id` BIGINT NOT NULL,
  `step_no` INT NOT NULL,
  `round` INT NOT NULL,
  `state` INT NOT NULL,
  `instance_id` BIGINT,
  `started_at` BIGINT,
  `ended_at` BIGINT,
  `next_at` BIGINT,
  `branch` VARCHAR(255),
  `edges` TEXT,
  `facts` TEXT,
  `output` MEDIUMTEXT,
  `error_code` VARCHAR(255),
  `error` TEXT,
  `reused_from` BIGINT,
  PRIMARY KEY (`run_id`, `step_no`, `round`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE (`run_id`) (PARTITION `later` VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS `unclaimed_executor` (
  `app_name` VARCHAR(255) NOT NULL,
  `address` VARCHAR(255) NOT NULL,
  `seen_at` BIGINT NOT NULL,
  PRIMARY KEY (`app_name`, `address`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `map_frame` (
  `instance_id` BIGINT NOT NULL,
  `attempt` INT NOT NULL,
  `seq` INT NOT NULL,
  `shards` INT NOT NULL,
  `bytes` INT NOT NULL,
  `body` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`instance_id`, `attempt`, `seq`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `backfill` (
  `id` BIGINT NOT NULL,
  `task_id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `stage` INT NOT NULL,
  `from_at` BIGINT NOT NULL,
  `to_at` BIGINT NOT NULL,
  `only_code` INT NOT NULL,
  `direction` INT NOT NULL,
  `concurrency` INT NOT NULL,
  `total` INT NOT NULL,
  `made` INT NOT NULL,
  `open_runs` INT NOT NULL,
  `ended` TEXT NOT NULL,
  `actor` TEXT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `ended_at` BIGINT,
  PRIMARY KEY (`id`),
  KEY `backfill_stage_slot` (`stage`, `slot`),
  KEY `backfill_task_id` (`task_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `backfill_plan` (
  `backfill_id` BIGINT NOT NULL,
  `part` INT NOT NULL,
  `due` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`backfill_id`, `part`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `backfill_run` (
  `task_id` BIGINT NOT NULL,
  `due_at` BIGINT NOT NULL,
  `backfill_id` BIGINT NOT NULL,
  `instance_id` BIGINT NOT NULL,
  PRIMARY KEY (`task_id`, `due_at`, `backfill_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `access_role` (
  `id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255) NOT NULL,
  `description` TEXT NOT NULL,
  `permissions` TEXT NOT NULL,
  `version` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `access_role_name_key` (`name_key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `access_binding` (
  `holder_kind` VARCHAR(255) NOT NULL,
  `holder_id` BIGINT NOT NULL,
  `no` INT NOT NULL,
  `role_key` VARCHAR(255) NOT NULL,
  `group_ids` TEXT,
  PRIMARY KEY (`holder_kind`, `holder_id`, `no`),
  KEY `access_binding_role_key_holder_kind` (`role_key`, `holder_kind`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `variable` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `description` TEXT NOT NULL,
  `version` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  `value` TEXT NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `variable_group_id_name` (`group_id`, `name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `secret` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `description` TEXT NOT NULL,
  `version` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  `sealed` MEDIUMTEXT NOT NULL,
  `data_key` TEXT NOT NULL,
  `key_id` VARCHAR(255) NOT NULL,
  `last_used_at` BIGINT,
  PRIMARY KEY (`id`),
  UNIQUE KEY `secret_group_id_name` (`group_id`, `name`),
  KEY `secret_key_id` (`key_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `secret_past` (
  `id` BIGINT NOT NULL,
  `secret_id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `until_at` BIGINT NOT NULL,
  `sealed` MEDIUMTEXT NOT NULL,
  `data_key` TEXT NOT NULL,
  `key_id` VARCHAR(255) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `secret_past_name_group_id` (`name`, `group_id`),
  KEY `secret_past_until_at` (`until_at`),
  KEY `secret_past_key_id` (`key_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `variable_use` (
  `task_id` BIGINT NOT NULL,
  `kind` INT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `group_id` BIGINT NOT NULL,
  PRIMARY KEY (`task_id`, `kind`, `group_id`, `name`),
  KEY `variable_use_name_kind` (`name`, `kind`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `alarm_rule` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT,
  `name` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255) NOT NULL,
  `version` INT NOT NULL,
  `enabled` INT NOT NULL,
  `conditions` TEXT NOT NULL,
  `task_ids` TEXT NOT NULL,
  `channel_ids` TEXT NOT NULL,
  `grouping` VARCHAR(255) NOT NULL,
  `tells_recovery` INT NOT NULL,
  `quiet_hours` TEXT,
  `silenced_until` BIGINT,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `alarm_rule_name_key` (`name_key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `alarm_state` (
  `rule_id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `next_at` BIGINT,
  `pace` TEXT NOT NULL,
  PRIMARY KEY (`rule_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `alarm_track` (
  `rule_id` BIGINT NOT NULL,
  `task_id` BIGINT NOT NULL,
  `facts` TEXT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  PRIMARY KEY (`rule_id`, `task_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `alarm_signal` (
  `rule_id` BIGINT NOT NULL,
  `event` INT NOT NULL,
  `signal_key` VARCHAR(255) NOT NULL,
  `slot` INT NOT NULL,
  `at` BIGINT NOT NULL,
  `group_id` BIGINT,
  `target_kind` INT NOT NULL,
  `target_id` BIGINT NOT NULL,
  `instance_id` BIGINT NOT NULL,
  `outcome` INT NOT NULL,
  `count` INT NOT NULL,
  `facts` TEXT NOT NULL,
  PRIMARY KEY (`rule_id`, `event`, `signal_key`),
  KEY `alarm_signal_at_slot` (`at`, `slot`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `incident` (
  `id` BIGINT NOT NULL,
  `rule_id` BIGINT NOT NULL,
  `rule_name` VARCHAR(255) NOT NULL,
  `group_id` BIGINT,
  `event` INT NOT NULL,
  `target_kind` INT NOT NULL,
  `target_id` BIGINT NOT NULL,
  `target_name` VARCHAR(255) NOT NULL,
  `state` INT NOT NULL,
  `count` BIGINT NOT NULL,
  `opened_at` BIGINT NOT NULL,
  `last_at` BIGINT NOT NULL,
  `last_instance_id` BIGINT NOT NULL,
  `acknowledged_at` BIGINT,
  `acknowledged_by` VARCHAR(255),
  `silenced_until` BIGINT,
  `recovered_at` BIGINT,
  `recovered_by` VARCHAR(255),
  `told_count` BIGINT,
  `told_state` INT,
  `pending` INT NOT NULL,
  `runs` TEXT NOT NULL,
  `facts` TEXT NOT NULL,
  PRIMARY KEY (`id`),
  KEY `incident_rule_id_state_id` (`rule_id`, `state`, `id`),
  KEY `incident_rule_id_pending_id` (`rule_id`, `pending`, `id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `incident_run` (
  `incident_id` BIGINT NOT NULL,
  `instance_id` BIGINT NOT NULL,
  `outcome` INT NOT NULL,
  `at` BIGINT NOT NULL,
  PRIMARY KEY (`incident_id`, `instance_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `alarm_channel` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT,
  `name` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255) NOT NULL,
  `version` INT NOT NULL,
  `enabled` INT NOT NULL,
  `kind` VARCHAR(255) NOT NULL,
  `config` TEXT NOT NULL,
  `secrets` TEXT,
  `language` VARCHAR(255) NOT NULL,
  `template` TEXT,
  `failed_in_a_row` INT NOT NULL,
  `last_sent_at` BIGINT,
  `last_error` TEXT,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `alarm_channel_name_key` (`name_key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `delivery` (
  `id` BIGINT NOT NULL,
  `incident_id` BIGINT,
  `rule_id` BIGINT,
  `channel_id` BIGINT NOT NULL,
  `group_id` BIGINT,
  `kind` VARCHAR(255) NOT NULL,
  `event` INT NOT NULL,
  `body` MEDIUMTEXT NOT NULL,
  `state` INT NOT NULL,
  `tries` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `next_try_at` BIGINT NOT NULL,
  `claimed_by` BIGINT,
  `claimed_until` BIGINT,
  `ended_at` BIGINT,
  `error` TEXT,
  PRIMARY KEY (`id`),
  KEY `delivery_state_next_try_at` (`state`, `next_try_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `reckoner` (
  `name` VARCHAR(255) NOT NULL,
  `revision` BIGINT NOT NULL,
  `since_at` BIGINT NOT NULL,
  `due_at` BIGINT NOT NULL,
  `series_id` BIGINT NOT NULL,
  `reckoned_at` BIGINT NOT NULL,
  `fired` BIGINT NOT NULL,
  `skipped` BIGINT NOT NULL,
  `missing` BIGINT NOT NULL,
  `doubled` BIGINT NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `reckoned` (
  `series_id` BIGINT NOT NULL,
  `settled_at` BIGINT NOT NULL,
  `skip_from` BIGINT NOT NULL,
  `counted` BIGINT NOT NULL,
  PRIMARY KEY (`series_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `verdict` (
  `hour_at` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `code` INT NOT NULL,
  `n` BIGINT NOT NULL,
  PRIMARY KEY (`hour_at`, `group_id`, `code`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `finding` (
  `series_id` BIGINT NOT NULL,
  `kind` INT NOT NULL,
  `from_at` BIGINT NOT NULL,
  `to_at` BIGINT NOT NULL,
  `n` BIGINT NOT NULL,
  `task_id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `facts` TEXT NOT NULL,
  `found_at` BIGINT NOT NULL,
  `gone_at` BIGINT,
  PRIMARY KEY (`series_id`, `kind`, `from_at`),
  KEY `finding_found_at` (`found_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `recovery` (
  `id` BIGINT NOT NULL,
  `from_at` BIGINT NOT NULL,
  `began_at` BIGINT NOT NULL,
  `last_at` BIGINT NOT NULL,
  `tasks` INT NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `recovery_group` (
  `recovery_id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `made_up` BIGINT NOT NULL,
  `skipped` BIGINT NOT NULL,
  PRIMARY KEY (`recovery_id`, `group_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `recovery_task` (
  `recovery_id` BIGINT NOT NULL,
  `task_id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `policy` VARCHAR(255) NOT NULL,
  `made_up` BIGINT NOT NULL,
  `skipped` BIGINT NOT NULL,
  `first_at` BIGINT NOT NULL,
  `last_at` BIGINT NOT NULL,
  PRIMARY KEY (`recovery_id`, `task_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `calendar` (
  `id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `name_key` VARCHAR(255),
  `description` TEXT NOT NULL,
  `version` INT NOT NULL,
  `rules_version` INT NOT NULL,
  `is_applying` INT NOT NULL,
  `last_day` VARCHAR(255),
  `day_count` INT NOT NULL,
  `blackout_count` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `updated_at` BIGINT NOT NULL,
  `deleted_at` BIGINT,
  PRIMARY KEY (`id`),
  UNIQUE KEY `calendar_group_id_name_key` (`group_id`, `name_key`),
  KEY `calendar_is_applying` (`is_applying`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `calendar_version` (
  `calendar_id` BIGINT NOT NULL,
  `version` INT NOT NULL,
  `saved_at` BIGINT NOT NULL,
  `saved_by` BIGINT,
  `saved_by_name` VARCHAR(255) NOT NULL,
  `rules` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`calendar_id`, `version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `calendar_use` (
  `task_id` BIGINT NOT NULL,
  `calendar_id` BIGINT NOT NULL,
  `version` INT NOT NULL,
  PRIMARY KEY (`task_id`),
  KEY `calendar_use_calendar_id_version` (`calendar_id`, `version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `bulk` (
  `id` BIGINT NOT NULL,
  `slot` INT NOT NULL,
  `stage` INT NOT NULL,
  `kind` INT NOT NULL,
  `action` INT NOT NULL,
  `cancel_running` INT NOT NULL,
  `owner_id` BIGINT NOT NULL,
  `caller` TEXT NOT NULL,
  `filter` TEXT,
  `total` INT NOT NULL,
  `done` INT NOT NULL,
  `failed` INT NOT NULL,
  `created_at` BIGINT NOT NULL,
  `ended_at` BIGINT,
  PRIMARY KEY (`id`),
  KEY `bulk_stage_slot` (`stage`, `slot`),
  KEY `bulk_owner_id` (`owner_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `bulk_item` (
  `bulk_id` BIGINT NOT NULL,
  `place` INT NOT NULL,
  `target_id` BIGINT NOT NULL,
  `group_id` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `state` INT NOT NULL,
  `run_id` BIGINT,
  `problem` TEXT,
  PRIMARY KEY (`bulk_id`, `place`),
  KEY `bulk_item_bulk_id_state_place` (`bulk_id`, `state`, `place`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO `meta` (`key`, `value`) VALUES
  ('schema_level', '14'),
  ('oldest_reader', '2');

INSERT IGNORE INTO `slot` (`id`, `fence`, `owner_run`, `taken_at`) VALUES
  (0, 0, NULL, 0),
  (1, 0, NULL, 0),
  (2, 0, NULL, 0),
  (3, 0, NULL, 0),
  (4, 0, NULL, 0),
  (5, 0, NULL, 0),
  (6, 0, NULL, 0),
  (7, 0, NULL, 0),
  (8, 0, NULL, 0),
  (9, 0, NULL, 0),
  (10, 0, NULL, 0),
  (11, 0, NULL, 0),
  (12, 0, NULL, 0),
  (13, 0, NULL, 0),
  (14, 0, NULL, 0),
  (15, 0, NULL, 0),
  (16, 0, NULL, 0),
  (17, 0, NULL, 0),
  (18, 0, NULL, 0),
  (19, 0, NULL, 0),
  (20, 0, NULL, 0),
  (21, 0, NULL, 0),
  (22, 0, NULL, 0),
  (23, 0, NULL, 0),
  (24, 0, NULL, 0),
  (25, 0, NULL, 0),
  (26, 0, NULL, 0),
  (27, 0, NULL, 0),
  (28, 0, NULL, 0),
  (29, 0, NULL, 0),
  (30, 0, NULL, 0),
  (31, 0, NULL, 0),
  (32, 0, NULL, 0),
  (33, 0, NULL, 0),
  (34, 0, NULL, 0),
  (35, 0, NULL, 0),
  (36, 0, NULL, 0),
  (37, 0, NULL, 0),
  (38, 0, NULL, 0),
  (39, 0, NULL, 0),
  (40, 0, NULL, 0),
  (41, 0, NULL, 0),
  (42, 0, NULL, 0),
  (43, 0, NULL, 0),
  (44, 0, NULL, 0),
  (45, 0, NULL, 0),
  (46, 0, NULL, 0),
  (47, 0, NULL, 0),
  (48, 0, NULL, 0),
  (49, 0, NULL, 0),
  (50, 0, NULL, 0),
  (51, 0, NULL, 0),
  (52, 0, NULL, 0),
  (53, 0, NULL, 0),
  (54, 0, NULL, 0),
  (55, 0, NULL, 0),
  (56, 0, NULL, 0),
  (57, 0, NULL, 0),
  (58, 0, NULL, 0),
  (59, 0, NULL, 0),
  (60, 0, NULL, 0),
  (61, 0, NULL, 0),
  (62, 0, NULL, 0),
  (63, 0, NULL, 0),
  (64, 0, NULL, 0),
  (65, 0, NULL, 0),
  (66, 0, NULL, 0),
  (67, 0, NULL, 0),
  (68, 0, NULL, 0),
  (69, 0, NULL, 0),
  (70, 0, NULL, 0),
  (71, 0, NULL, 0),
  (72, 0, NULL, 0),
  (73, 0, NULL, 0),
  (74, 0, NULL, 0),
  (75, 0, NULL, 0),
  (76, 0, NULL, 0),
  (77, 0, NULL, 0),
  (78, 0, NULL, 0),
  (79, 0, NULL, 0),
  (80, 0, NULL, 0),
  (81, 0, NULL, 0),
  (82, 0, NULL, 0),
  (83, 0, NULL, 0),
  (84, 0, NULL, 0),
  (85, 0, NULL, 0),
  (86, 0, NULL, 0),
  (87, 0, NULL, 0),
  (88, 0, NULL, 0),
  (89, 0, NULL, 0),
  (90, 0, NULL, 0),
  (91, 0, NULL, 0),
  (92, 0, NULL, 0),
  (93, 0, NULL, 0),
  (94, 0, NULL, 0),
  (95, 0, NULL, 0),
  (96, 0, NULL, 0),
  (97, 0, NULL, 0),
  (98, 0, NULL, 0),
  (99, 0, NULL, 0),
  (100, 0, NULL, 0),
  (101, 0, NULL, 0),
  (102, 0, NULL, 0),
  (103, 0, NULL, 0),
  (104, 0, NULL, 0),
  (105, 0, NULL, 0),
  (106, 0, NULL, 0),
  (107, 0, NULL, 0),
  (108, 0, NULL, 0),
  (109, 0, NULL, 0),
  (110, 0, NULL, 0),
  (111, 0, NULL, 0),
  (112, 0, NULL, 0),
  (113, 0, NULL, 0),
  (114, 0, NULL, 0),
  (115, 0, NULL, 0),
  (116, 0, NULL, 0),
  (117, 0, NULL, 0),
  (118, 0, NULL, 0),
  (119, 0, NULL, 0),
  (120, 0, NULL, 0),
  (121, 0, NULL, 0),
  (122, 0, NULL, 0),
  (123, 0, NULL, 0),
  (124, 0, NULL, 0),
  (125, 0, NULL, 0),
  (126, 0, NULL, 0),
  (127, 0, NULL, 0),
  (128, 0, NULL, 0),
  (129, 0, NULL, 0),
  (130, 0, NULL, 0),
  (131, 0, NULL, 0),
  (132, 0, NULL, 0),
  (133, 0, NULL, 0),
  (134, 0, NULL, 0),
  (135, 0, NULL, 0),
  (136, 0, NULL, 0),
  (137, 0, NULL, 0),
  (138, 0, NULL, 0),
  (139, 0, NULL, 0),
  (140, 0, NULL, 0),
  (141, 0, NULL, 0),
  (142, 0, NULL, 0),
  (143, 0, NULL, 0),
  (144, 0, NULL, 0),
  (145, 0, NULL, 0),
  (146, 0, NULL, 0),
  (147, 0, NULL, 0),
  (148, 0, NULL, 0),
  (149, 0, NULL, 0),
  (150, 0, NULL, 0),
  (151, 0, NULL, 0),
  (152, 0, NULL, 0),
  (153, 0, NULL, 0),
  (154, 0, NULL, 0),
  (155, 0, NULL, 0),
  (156, 0, NULL, 0),
  (157, 0, NULL, 0),
  (158, 0, NULL, 0),
  (159, 0, NULL, 0),
  (160, 0, NULL, 0),
  (161, 0, NULL, 0),
  (162, 0, NULL, 0),
  (163, 0, NULL, 0),
  (164, 0, NULL, 0),
  (165, 0, NULL, 0),
  (166, 0, NULL, 0),
  (167, 0, NULL, 0),
  (168, 0, NULL, 0),
  (169, 0, NULL, 0),
  (170, 0, NULL, 0),
  (171, 0, NULL, 0),
  (172, 0, NULL, 0),
  (173, 0, NULL, 0),
  (174, 0, NULL, 0),
  (175, 0, NULL, 0),
  (176, 0, NULL, 0),
  (177, 0, NULL, 0),
  (178, 0, NULL, 0),
  (179, 0, NULL, 0),
  (180, 0, NULL, 0),
  (181, 0, NULL, 0),
  (182, 0, NULL, 0),
  (183, 0, NULL, 0),
  (184, 0, NULL, 0),
  (185, 0, NULL, 0),
  (186, 0, NULL, 0),
  (187, 0, NULL, 0),
  (188, 0, NULL, 0),
  (189, 0, NULL, 0),
  (190, 0, NULL, 0),
  (191, 0, NULL, 0),
  (192, 0, NULL, 0),
  (193, 0, NULL, 0),
  (194, 0, NULL, 0),
  (195, 0, NULL, 0),
  (196, 0, NULL, 0),
  (197, 0, NULL, 0),
  (198, 0, NULL, 0),
  (199, 0, NULL, 0),
  (200, 0, NULL, 0),
  (201, 0, NULL, 0),
  (202, 0, NULL, 0),
  (203, 0, NULL, 0),
  (204, 0, NULL, 0),
  (205, 0, NULL, 0),
  (206, 0, NULL, 0),
  (207, 0, NULL, 0),
  (208, 0, NULL, 0),
  (209, 0, NULL, 0),
  (210, 0, NULL, 0),
  (211, 0, NULL, 0),
  (212, 0, NULL, 0),
  (213, 0, NULL, 0),
  (214, 0, NULL, 0),
  (215, 0, NULL, 0),
  (216, 0, NULL, 0),
  (217, 0, NULL, 0),
  (218, 0, NULL, 0),
  (219, 0, NULL, 0),
  (220, 0, NULL, 0),
  (221, 0, NULL, 0),
  (222, 0, NULL, 0),
  (223, 0, NULL, 0),
  (224, 0, NULL, 0),
  (225, 0, NULL, 0),
  (226, 0, NULL, 0),
  (227, 0, NULL, 0),
  (228, 0, NULL, 0),
  (229, 0, NULL, 0),
  (230, 0, NULL, 0),
  (231, 0, NULL, 0),
  (232, 0, NULL, 0),
  (233, 0, NULL, 0),
  (234, 0, NULL, 0),
  (235, 0, NULL, 0),
  (236, 0, NULL, 0),
  (237, 0, NULL, 0),
  (238, 0, NULL, 0),
  (239, 0, NULL, 0),
  (240, 0, NULL, 0),
  (241, 0, NULL, 0),
  (242, 0, NULL, 0),
  (243, 0, NULL, 0),
  (244, 0, NULL, 0),
  (245, 0, NULL, 0),
  (246, 0, NULL, 0),
  (247, 0, NULL, 0),
  (248, 0, NULL, 0),
  (249, 0, NULL, 0),
  (250, 0, NULL, 0),
  (251, 0, NULL, 0),
  (252, 0, NULL, 0),
  (253, 0, NULL, 0),
  (254, 0, NULL, 0),
  (255, 0, NULL, 0);

INSERT IGNORE INTO `id_block` (`name`, `next_id`) VALUES
  ('run', 1),
  ('entity', 1);

INSERT IGNORE INTO `reckoner` (`name`, `revision`, `since_at`, `due_at`, `series_id`, `reckoned_at`, `fired`, `skipped`, `missing`, `doubled`) VALUES
  ('ledger', 1, 0, 0, 0, 0, 0, 0, 0, 0);
