package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.ViewState;

/// How far a tenant's database is.
///
/// @param offset that it has applied last, or -1
/// @param seq the last one
/// @param stored count of log records, as [ViewState] has it; the others likewise
public record TenantMark(
    long offset, long seq, long stored, long duplicates, long conflicts, long skipped) {
  static final TenantMark NONE = new TenantMark(-1, 0, 0, 0, 0, 0);

  static TenantMark of(ViewState state) {
    return new TenantMark(
        state.appliedOffset(),
        state.seq(),
        state.stored(),
        state.duplicates(),
        state.conflicts(),
        state.skipped());
  }

  long records() {
    return stored + duplicates + conflicts + skipped;
  }
}
