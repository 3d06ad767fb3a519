//! What the loop may rely on of an engine: one suite for the real engine and for the
//! simulated one, so that the latter stays honest.
//!
//! Every scenario is one function over a [`stage::Stage`], and becomes two tests. What it
//! asks, sees and hears is a transcript that was recorded from the real engine; see
//! [`transcript`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod content;
mod health;
mod images;
mod life;
mod limits;
mod looks;
mod networks;
mod on_docker;
mod paused;
#[path = "../real/mod.rs"]
mod real;
mod refusals;
mod restarts;
mod shown;
mod simulated;
mod stage;
mod subject;
mod transcript;
mod volumes;
mod words;

/// Makes two tests of every scenario.
macro_rules! scenarios {
    ($($module:ident: $($scenario:ident),+;)+) => {
        /// The names of all scenarios.
        const SCENARIOS: &[&str] = &[$($(stringify!($scenario)),+),+];

        mod on_the_real_engine {
            $($(
                #[tokio::test]
                async fn $scenario() {
                    let subject = crate::on_docker::OnDocker::new(stringify!($module));
                    let Some(subject) = subject.await else { return };
                    let stage = crate::stage::Stage::new(stringify!($scenario), subject);
                    let mut stage = stage.await;
                    crate::$module::$scenario(&mut stage).await;
                    stage.finish(true);
                }
            )+)+
        }

        mod on_the_simulated_engine {
            $($(
                #[tokio::test(start_paused = true)]
                async fn $scenario() {
                    let subject = crate::simulated::Simulated::new().await;
                    let stage = crate::stage::Stage::new(stringify!($scenario), subject);
                    let mut stage = stage.await;
                    crate::$module::$scenario(&mut stage).await;
                    stage.finish(false);
                }
            )+)+
        }
    };
}

scenarios! {
    life:
        a_container_lives_from_create_to_remove_and_every_step_may_be_repeated,
        what_a_container_wrote_can_be_read_until_it_is_removed,
        what_ends_by_itself_is_not_told_as_stopped,
        what_is_stopped_by_hand_is_told_as_what_is_stopped_by_us,
        what_is_killed_by_hand_is_told_as_killed,
        what_is_removed_by_force_and_renamed_by_hand_is_told,
        a_process_that_ignores_its_signal_is_killed_after_the_grace_period,
        files_are_copied_into_what_was_not_started_yet;
    content:
        a_signal_reaches_the_first_process_and_the_container_runs_on,
        a_signal_takes_the_restart_policy_away_from_what_has_no_stop_signal,
        a_command_of_the_file_tells_whether_a_container_is_well,
        changed_content_is_tested_inside,
        changed_content_is_tested_in_a_container_that_is_gone_afterwards;
    refusals:
        a_name_is_taken_until_its_holder_is_renamed_or_removed,
        a_port_is_taken_at_the_start,
        what_is_not_there_is_not_found_or_done_already,
        an_image_that_is_missing_fails_the_create,
        more_processors_than_the_host_has_are_refused,
        a_command_can_only_be_run_in_what_runs;
    limits:
        limits_change_while_the_container_runs,
        a_limit_that_is_taken_away_is_ignored,
        memory_above_its_swap_is_refused,
        memory_in_use_is_measured,
        a_restart_policy_changes_while_the_container_runs;
    networks:
        networks_are_made_attached_and_removed,
        a_network_that_was_made_again_is_another_one,
        a_static_address_is_taken_at_the_start,
        a_network_that_is_missing_is_not_found_at_the_start,
        an_endpoint_that_was_taken_away_by_hand_can_be_given_back,
        every_network_of_a_container_is_joined_at_its_start;
    volumes:
        a_volume_is_made_once_and_keeps_its_labels,
        a_volume_that_a_container_names_is_made_with_it_and_outlives_it;
    restarts:
        a_policy_with_a_limit_gives_up,
        what_succeeded_is_not_restarted_on_failure,
        what_was_stopped_stays_down_whatever_its_policy,
        the_pause_between_two_restarts_doubles,
        what_waits_for_its_restart_counts_as_running_and_can_be_stopped;
    health:
        health_is_checked_an_interval_after_the_start_and_then_again,
        so_many_failures_in_a_row_make_it_unhealthy,
        failures_in_the_start_period_do_not_count_until_it_was_healthy;
    paused:
        what_is_paused_can_be_stopped_and_little_else,
        what_is_thawed_goes_on;
    images:
        an_image_is_pulled_and_a_tag_that_is_missing_is_not_found,
        a_tag_that_moved_names_another_image;
    looks:
        a_look_tells_ours_from_strangers,
        a_look_tells_the_guests_of_a_network,
        a_look_again_believes_the_list_and_reads_anew_what_it_is_told;
}

#[test]
fn every_scenario_has_a_transcript_and_no_transcript_is_left_over() {
    let names = transcript::recorded("20.10");
    let scenarios = SCENARIOS.iter().map(ToString::to_string).collect();
    assert_eq!(names, scenarios);
}
