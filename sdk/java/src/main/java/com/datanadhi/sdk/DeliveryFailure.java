package com.datanadhi.sdk;

/**
 * Something that went wrong in a client.
 *
 * @param kind what
 * @param subject what it is about, for programs: see {@link Kind}
 * @param detail the newest cause, for people
 * @param records how many records it is about; 0 if it is not about records
 */
public record DeliveryFailure(Kind kind, String subject, String detail, long records) {
  /** What went wrong. */
  public enum Kind {
    /**
     * {@code submit} refused records. The subject is the name of the {@link SubmitResult}. Not
     * reported after the client was closed.
     */
    REFUSED,
    /**
     * The hook {@link BeforeSend} failed, so that the content of records is not delivered. The
     * subject is the name of its class.
     */
    WITHHELD,
    /**
     * Records were written to a file in {@code dropped/}. The subject is the reason, with which the
     * file's name begins, for example {@code queue_full}.
     */
    KEPT_IN_FILE,
    /**
     * The main server rejected records for good: they are in a file, {@code primary_failed}. Those
     * from other files, which are sent again, are reported too, once; not those that were in such a
     * file before.
     */
    REJECTED,
    /** Records were deleted with a file that was too old. */
    EXPIRED,
    /** Records could neither be delivered nor written to a file before the client was closed. */
    LOST,
    /**
     * A server was found to be down. The subject is {@code main server} or {@code fallback server}.
     */
    SERVER_DOWN,
    /** EchoPost cannot be used now. The subject is the {@link EchoPostState.Status}. */
    ECHOPOST_UNAVAILABLE
  }
}
