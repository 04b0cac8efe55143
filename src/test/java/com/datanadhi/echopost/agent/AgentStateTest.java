package com.datanadhi.echopost.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.agent.AgentState.Closing;
import com.datanadhi.echopost.agent.AgentState.Drained;
import com.datanadhi.echopost.agent.AgentState.Draining;
import com.datanadhi.echopost.agent.AgentState.Serving;
import com.datanadhi.echopost.agent.AgentState.Starting;
import com.datanadhi.echopost.agent.AgentState.Stopped;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class AgentStateTest {
  private static Set<String> transitions(Class<? extends AgentState> state) {
    Set<String> transitions = new TreeSet<>();
    for (Method method : state.getDeclaredMethods()) {
      if (AgentState.class.isAssignableFrom(method.getReturnType())) {
        transitions.add(method.getName() + "->" + method.getReturnType().getSimpleName());
      }
    }
    return transitions;
  }

  @Test
  void each_state_offers_only_its_legal_transitions() {
    assertThat(transitions(Starting.class)).containsExactly("serve->Serving", "stop->Stopped");
    assertThat(transitions(Serving.class)).containsExactly("drain->Draining", "stop->Stopped");
    assertThat(transitions(Draining.class)).containsExactly("close->Closing");
    assertThat(transitions(Closing.class))
        .containsExactly("drained->Drained", "resume->Serving", "stop->Stopped");
    assertThat(transitions(Drained.class)).isEmpty();
    assertThat(transitions(Stopped.class)).isEmpty();
  }

  @Test
  void the_states_are_these_six() {
    assertThat(
            List.of(
                Starting.class,
                Serving.class,
                Draining.class,
                Closing.class,
                Drained.class,
                Stopped.class))
        .isEqualTo(Arrays.asList(AgentState.class.getPermittedSubclasses()));
  }

  @Test
  void a_run_goes_from_starting_to_drained() {
    Closing first = new Starting().serve().drain().close(false, 0);
    assertThat(first.resume().drain().close(true, 0).drained()).isEqualTo(new Drained());
  }

  @Test
  void no_run_is_drained_with_ids_unsettled() {
    for (long unsettled : new long[] {1, 1L << 40, -1}) {
      Closing closing = new Starting().serve().drain().close(true, unsettled);
      assertThat(closing.isEmpty()).isFalse();
      assertThatThrownBy(closing::drained)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "cannot be drained with " + unsettled + " ids unsettled, all calls answered: true");
    }
  }

  @Test
  void no_run_is_drained_with_a_call_unanswered() {
    Closing closing = new Starting().serve().drain().close(false, 0);
    assertThat(closing.isEmpty()).isFalse();
    assertThatThrownBy(closing::drained)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("cannot be drained with 0 ids unsettled, all calls answered: false");
  }
}
