package com.datanadhi.echopost.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every interleaving of an agent that leaves, one that arrives, and two clients.
class HandOverModelTest {
  @Test
  void no_interleaving_loses_a_record_or_has_two_agents_or_leaves_a_client_waiting() {
    HandOverModel model = new HandOverModel(EnumSet.allOf(HandOverModel.Rule.class));

    int states = model.explore();

    assertThat(states).isGreaterThan(2_000);
    assertThat(model.violations()).isEmpty();
  }

  @Test
  void a_send_fails_only_if_the_name_is_removed_between_the_clients_check_and_its_connect() {
    HandOverModel model = new HandOverModel(EnumSet.allOf(HandOverModel.Rule.class));

    int _ = model.explore();

    assertThat(model.ends())
        .containsExactlyInAnyOrder(HandOverModel.Client.DONE, HandOverModel.Client.IN_THE_GAP);
  }

  @ParameterizedTest
  @EnumSource(HandOverModel.Rule.class)
  void without_any_one_of_its_rules_the_protocol_breaks(HandOverModel.Rule omitted) {
    EnumSet<HandOverModel.Rule> others = EnumSet.allOf(HandOverModel.Rule.class);
    others.remove(omitted);
    HandOverModel model = new HandOverModel(others);

    int states = model.explore();

    assertThat(model.violations()).as("%s states", states).isNotEmpty();
  }
}
