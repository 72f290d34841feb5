-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: 127.0.0.1    Database: xxl_job
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;

DROP TABLE IF EXISTS `xxl_job_group`;
CREATE TABLE `xxl_job_group` (
  `id` int NOT NULL AUTO_INCREMENT,
  `app_name` varchar(64) COLLATE utf8mb4_unicode_ci NOT NULL COMMENT '执行器AppName',
  `title` varchar(12) COLLATE utf8mb4_unicode_ci NOT NULL COMMENT '执行器名称; 不含 (括号)',
  `address_type` tinyint NOT NULL DEFAULT '0' COMMENT '执行器地址类型：0=自动注册、1=手动录入',
  `address_list` text COLLATE utf8mb4_unicode_ci,
  `update_time` datetime DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4;

LOCK TABLES `xxl_job_group` WRITE;
INSERT INTO `xxl_job_group` VALUES (1,'xxl-job-executor-sample','示例执行器',0,NULL,'2026-11-01 10:00:00'),(2,'Order_Service','订单',1,'http://10.0.0.1:9999','2026-11-01 10:00:00'),(3,'order-service','订单二',0,NULL,NULL),(4,'订单','没有字母',0,NULL,NULL);
UNLOCK TABLES;

CREATE TABLE `xxl_job_info` (
  `id` int NOT NULL AUTO_INCREMENT,
  `job_group` int NOT NULL COMMENT '执行器主键ID',
  `job_desc` varchar(255) NOT NULL,
  `add_time` datetime DEFAULT NULL,
  `update_time` datetime DEFAULT NULL,
  `author` varchar(64) DEFAULT NULL COMMENT '作者',
  `alarm_email` varchar(255) DEFAULT NULL,
  `schedule_type` varchar(50) NOT NULL DEFAULT 'NONE',
  `schedule_conf` varchar(128) DEFAULT NULL,
  `misfire_strategy` varchar(50) NOT NULL DEFAULT 'DO_NOTHING',
  `executor_route_strategy` varchar(50) DEFAULT NULL,
  `executor_handler` varchar(255) DEFAULT NULL,
  `executor_param` varchar(512) DEFAULT NULL,
  `executor_block_strategy` varchar(50) DEFAULT NULL,
  `executor_timeout` int NOT NULL DEFAULT '0',
  `executor_fail_retry_count` int NOT NULL DEFAULT '0',
  `glue_type` varchar(50) NOT NULL,
  `glue_source` mediumtext,
  `glue_remark` varchar(128) DEFAULT NULL,
  `glue_updatetime` datetime DEFAULT NULL,
  `child_jobid` varchar(255) DEFAULT NULL,
  `trigger_status` tinyint NOT NULL DEFAULT '0',
  `trigger_last_time` bigint NOT NULL DEFAULT '0',
  `trigger_next_time` bigint NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

INSERT INTO `xxl_job_info` VALUES
(1,1,'测试任务1','2018-11-03 22:21:31','2018-11-03 22:21:31','XXL','','CRON','0 0 0 * * ? *','DO_NOTHING','ROUND','demoJobHandler','{\"a\":\'x\'}\nsecond','SERIAL_EXECUTION',30,2,'BEAN','','GLUE代码初始化','2018-11-03 22:21:31','',1,0,0),
(2,1,'每五秒',NULL,NULL,'Ada','a@example.org','FIX_RATE','5','FIRE_ONCE_NOW','RANDOM','','','DISCARD_LATER',0,0,'GLUE_SHELL','#!/bin/bash\necho \'it''s; fine\'\n','v1',NULL,'1,3',0,0,0);
INSERT INTO `xxl_job_info` VALUES (3,2,'a/b',NULL,NULL,NULL,NULL,'NONE','','DO_NOTHING','BUSYOVER','x',NULL,'COVER_EARLY',0,0,'BEAN',NULL,NULL,NULL,NULL,1,0,0),(4,1,'双份',NULL,NULL,'','','CRON','0/5 * * * * ?','DO_NOTHING','ROUND','x','','SERIAL_EXECUTION',0,0,'BEAN','','',NULL,'',1,0,0),(5,1,'双份',NULL,NULL,'','','CRON','0 61 * * * ?','DO_NOTHING','ROUND','x','','SERIAL_EXECUTION',0,0,'BEAN','','',NULL,'',1,0,0),(6,1,'广播',NULL,NULL,'','','CRON','0 0 1 * * ?','DO_NOTHING','SHARDING_BROADCAST','shard','','SERIAL_EXECUTION',0,0,'BEAN','','',NULL,'',1,0,0),(7,1,'glue',NULL,NULL,'','','CRON','0 0 1 * * ?','DO_NOTHING','ROUND','','','SERIAL_EXECUTION',0,0,'GLUE_GROOVY','package x;','',NULL,'',1,0,0),(8,4,'orphan',NULL,NULL,'','','NONE','','DO_NOTHING','ROUND','x','','SERIAL_EXECUTION',0,0,'BEAN','','',NULL,'',0,0,0);
INSERT INTO `xxl_job_log` VALUES (1,'INSERT INTO `xxl_job_info` VALUES (99);',NULL);
