"""The journal: an append-only log of framed records between a collector and the loader.

Each proxy worker has one folder, `<home>/journal/worker-0/` and so on. One process writes it, the
loader reads it, and segments are deleted once what they hold is committed in the metrics store.

It never delays or fails the traffic it records: an append is one system call or a refusal, and
raises nothing. It never buffers in the process, never edits a byte it has written and never
appends to a file it did not create in this life. When the disk is full, over its share or
failing, appends are refused with a named reason until it is better; the caller counts them.

Invariants
    1. A record is one frame, a frame is one `write`, and True means that the kernel has it all.
    2. Sequences rise by one from record to record. A new writer begins at the clock's
       microseconds, or behind the newest segment if the clock lags, so no sequence is used twice,
       even if segments vanish.
    3. A segment is named by its first sequence. Names rise; only the newest segment grows.
    4. Nothing is written behind a failed write: its torn end is cut off, or left where cutting
       fails, and the next record goes to a new segment.
    5. A sound frame, once readable, does not change or move until its segment is deleted.

Layout (numbers little-endian)
    lock                        empty; whoever writes holds an flock on it
    00001795354710717851.seg    a segment: a frame of type 0, then frames of records

    frame    0  u32   CRC-32 of bytes 4 to the end, begun from a seed that is not zero
             4  3 B   "MJ1"
             7  u8    type: 0 begin, 1 exchange, 2 loss
             8  u32   payload bytes, at most 1 MiB
            12  u64   sequence; of a begin frame, that of the first record
            20        payload; of a begin frame, u64, the last sequence used before this segment

    Files have mode 0600 and the folder 0700: records hold bodies that are not scrubbed yet.

Who creates and who deletes
    The writer creates a segment with its first record, when the one before has reached
    `segment_bytes`, after a failed write or sync, and when somebody deleted it; and without a
    record behind one that has stood for a minute (`rest`), so that a quiet journal does not keep
    what was loaded long ago. It deletes only a segment of its own that holds no record. The loader
    deletes segments wholly before the position it has committed, never the newest. No one else
    needs to touch the folder; if somebody does, what is gone is counted as missing.

Acknowledgement
    The reader's position (segment, offset, next sequence) is committed by the loader together
    with the rows it made, so reading twice changes nothing and deleting late does no harm. A
    position whose segment is gone goes on at the next one.

Damage
    The reader checks every frame. What is no sound frame with the next sequence is passed over up
    to the next one that is: a flipped bit costs one record, and neither a run of zeros nor a body
    that contains the image of a frame is taken for a record. An incomplete end of the newest
    segment is not yet there; of an older one it is torn. Pages that the disk cannot read make the
    reader raise `Unavailable` again and again rather than skip what may come back: repair the
    disk, or move the segment away and let the loss be counted.

Loss accounting
    Not recorded: `append` returned False; `Stats.refused` by reason. The caller counts these as
    shed and appends a loss record when it can again.
    Not readable: each is a `Skip` with its reason, its bytes and the number of records known to
    be lost, which the gap in the sequences tells (a segment's begin frame tells it across
    segments). Not known is how many records went with the torn end of a writer's last segment.

What a crash can take
    kill -9 of the writer: nothing acknowledged; at most a torn frame whose append never returned.
    kill -9 of the loader: nothing.
    A power cut: what was appended since the last sync. A thread syncs the open segment every
    500 ms and never blocks an append; a stalling disk stretches that window. A segment whose sync
    fails is left at once, since the kernel may have dropped its pages. The kernel itself may
    still hold a `write` up while it throttles a disk that cannot keep up; that is the one wait.
"""

from collectors.journal.frame import BEGIN, EXCHANGE, LOSS, MAX_PAYLOAD_BYTES
from collectors.journal.reader import Position, Reader, ReadResult, Skip
from collectors.journal.segments import journals
from collectors.journal.writer import Stats, Writer

__all__ = [
    "BEGIN",
    "EXCHANGE",
    "LOSS",
    "MAX_PAYLOAD_BYTES",
    "Position",
    "ReadResult",
    "Reader",
    "Skip",
    "Stats",
    "Writer",
    "journals",
]
