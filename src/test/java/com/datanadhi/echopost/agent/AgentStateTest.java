package com.datanadhi.echopost.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
  private static Set<String> moves(Class<? extends AgentState> state) {
    Set<String> moves = new TreeSet<>();
    for (Method method : state.getDeclaredMethods()) {
      if (AgentState.class.isAssignableFrom(method.getReturnType())) {
        moves.add(method.getName() + "->" + method.getReturnType().getSimpleName());
      }
    }
    return moves;
  }

  @Test
  void each_state_offers_its_legal_moves_alone() {
    assertThat(moves(Starting.class)).containsExactly("serve->Serving");
    assertThat(moves(Serving.class)).containsExactly("drain->Draining", "stop->Stopped");
    assertThat(moves(Draining.class))
        .containsExactly("drained->Drained", "serveOn->Serving", "stop->Stopped");
    assertThat(moves(Drained.class)).isEmpty();
    assertThat(moves(Stopped.class)).isEmpty();
  }

  @Test
  void there_are_no_other_states() {
    assertThat(List.of(Starting.class, Serving.class, Draining.class, Drained.class, Stopped.class))
        .isEqualTo(Arrays.asList(AgentState.class.getPermittedSubclasses()));
  }

  @Test
  void a_run_goes_from_starting_to_drained() {
    assertThat(new Starting().serve().drain().serveOn().drain().drained(0))
        .isEqualTo(new Drained());
  }

  @Test
  void no_agent_is_drained_with_records_pending() {
    Draining draining = new Starting().serve().drain();
    for (long pending : new long[] {1, 1L << 40, -1}) {
      assertThatThrownBy(() -> draining.drained(pending))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("cannot be drained with " + pending + " records pending");
    }
  }
}
