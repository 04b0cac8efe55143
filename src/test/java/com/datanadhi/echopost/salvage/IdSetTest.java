package com.datanadhi.echopost.salvage;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.record.Totals;
import org.junit.jupiter.api.Test;

class IdSetTest {
  private final IdSet ids = new IdSet();

  private void add(long... some) {
    for (long id : some) {
      assertThat(ids.add(id)).isTrue();
    }
  }

  @Test
  void ids_that_are_not_in_the_set_are_missing_also_at_both_ends() {
    add(3, 4, 7);

    IdSet.Missing missing = ids.missing(1, 9);

    assertThat(missing.named()).containsExactly("2", "5-6", "8-9");
    assertThat(missing.ids()).isEqualTo(5);
    assertThat(missing.ranges()).isEqualTo(3);
  }

  @Test
  void ids_between_the_last_one_and_the_next_epoch_are_not_missing() {
    add(1, 2, 3, Totals.EPOCH + 1, Totals.EPOCH + 2);

    assertThat(ids.missing(0, Totals.EPOCH + 2).named()).isEmpty();
  }

  @Test
  void ids_before_the_next_epoch_are_not_missing_even_if_that_epoch_has_no_id() {
    add(1, 2, 3);

    assertThat(ids.missing(0, Totals.EPOCH).named()).isEmpty();
  }

  @Test
  void the_first_ids_of_an_epoch_can_be_missing() {
    add(1, Totals.EPOCH + 3);

    assertThat(ids.missing(0, Totals.EPOCH + 4).named())
        .containsExactly(
            (Totals.EPOCH + 1) + "-" + (Totals.EPOCH + 2), Long.toString(Totals.EPOCH + 4));
  }
}
