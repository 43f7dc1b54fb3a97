#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "orrery/base/node_id.h"

namespace orrery::runtime {

/// What a loop hears from its peers. Called on the loop's thread.
class PeerEvents {
 public:
  virtual ~PeerEvents() = default;
  /// An authenticated link to this peer exists; frames sent from now on arrive in order or the link breaks.
  /// incarnation: the life of the peer that answers, so that what was known of an earlier life is forgotten.
  virtual void OnPeerUp(NodeId peer, uint64_t incarnation) = 0;
  /// The link broke: any suffix of the frames sent since OnPeerUp may be lost.
  virtual void OnPeerDown(NodeId peer) = 0;
  /// One whole, checksummed frame. The view lives until the call returns.
  virtual void OnFrame(NodeId peer, std::string_view frame) = 0;
  /// Bytes came that do not end a frame: of a long one, which is on its way. They are not checked yet, but they come
  /// through an authenticated link, so the peer lives.
  virtual void OnPartOfFrame(NodeId /*peer*/) {}
};

/// Ordered frames to peers over one link per (loop, peer). Owned by the loop; not thread-safe.
/// Links are kept up in the background to every peer named by SetPeers.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Sends a frame if a link is up, else drops it (the caller hears OnPeerDown and acts). Never blocks; what a slow
  /// peer does not read is bounded: past the limit the link is broken.
  virtual void Send(NodeId peer, std::string frame) = 0;
};

}  // namespace orrery::runtime
